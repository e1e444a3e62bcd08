#include "agent/agent.h"

#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <variant>

#include "agent/devices.h"
#include "agent/task_log.h"
#include "base/clock.h"
#include "base/r_call.h"
#include "base/random_hex.h"
#include "base/random_stream.h"
#include "base/text.h"
#include "base/version.h"
#include "process/memory_group.h"
#include "process/spawn.h"
#include "wire/dial.h"

namespace tenkai {
namespace {

constexpr std::chrono::seconds dial_limit{10};           // for each step
constexpr std::size_t instance_bytes = 8;                // 16 hexadecimal digits
constexpr std::uint64_t max_unheard = 64 * 1024 * 1024;  // bytes

// The part of the memory of this machine, or of our job, which blocks that tasks share may
// take: they are there once for all daemons, and the oldest ones go first.
constexpr std::uint64_t part_for_blocks = 4;

std::uint64_t time_left(std::chrono::system_clock::time_point end) {
  auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::system_clock::now());
  return static_cast<std::uint64_t>(std::max<std::int64_t>(left.count(), 0));
}

AgentRules rules_of(const AgentOptions& options) {
  AgentRules rules;
  rules.autoexit = options.autoexit;
  if (options.credential)
    rules.proof = options.credential->uses == 0 ? AgentRules::Proof::reusable : AgentRules::Proof::once;
  for (std::size_t i = 0; i < options.daemons; ++i)
    rules.urls.push_back(to_string(options.urls[std::min(i, options.urls.size() - 1)]));
  rules.over_network = is_network(options.urls.front());
  rules.in_job = options.in_job;
  rules.task_logs = options.task_logs && !options.logs.empty();
  rules.seed = std::stoul(random_hex(4), nullptr, 16);
  return rules;
}

}  // namespace

Agent::Agent(asio::io_context& io, AgentOptions options)
    : io_(io),
      options_(std::move(options)),
      core_(rules_of(options_), now()),
      instance_(random_hex(instance_bytes)),
      kept_blocks_limit_(memory_available() / part_for_blocks),
      processes_(io.get_executor()),
      signals_(io),
      timer_(io),
      stop_timer_(io),
      daemons_(options_.daemons) {
  if (options_.memory_limit) processes_.limit_memory(*options_.memory_limit);
}

void Agent::start() {
  // A signal that we were started to ignore (nohup) stays ignored.
  for (int number : {SIGTERM, SIGINT, SIGHUP}) {
    struct sigaction inherited {};
    if (::sigaction(number, nullptr, &inherited) == 0 && inherited.sa_handler != SIG_IGN)
      signals_.add(number);
  }
  // These may be ignored so that they end nobody before we are here.
  signals_.add(SIGUSR1);
  signals_.add(SIGUSR2);
  wait_for_signal();
  std::optional<AgentCore::Adopted> adopted;
  if (options_.adopt_pid) {
    pid_t pid = *options_.adopt_pid;
    // Where its end cannot be seen, the end of its stream has to do.
    bool is_watched =
        processes_.adopt(pid, [this](pid_t, const REnd& end) { carry_out(core_.on_r_ended(now(), 0, end)); });
    adopted = AgentCore::Adopted{pid, is_child(pid), is_watched};
    attach(0, options_.adopt_fd);
  }
  carry_out(core_.on_start(adopted));
}

void Agent::wait_for_signal() {
  signals_.async_wait([this](boost::system::error_code failed, int number) {
    if (failed) return;
    spdlog::info("signal {} came", number);
    bool is_notice = number == SIGUSR1 || number == SIGUSR2;
    carry_out(is_notice ? core_.on_notice(now()) : core_.on_signal(now(), number));
    wait_for_signal();
  });
}

void Agent::carry_out(Actions actions) {
  for (Action& action : actions) {
    std::visit([this](auto& each) { carry_out(std::move(each)); }, action);
  }
  wait_until_next_timer();
}

void Agent::wait_until_next_timer() {
  if (std::exchange(waits_until_, core_.next_timer()) == core_.next_timer()) return;
  if (!waits_until_) return static_cast<void>(timer_.cancel());
  timer_.expires_at(*waits_until_);
  timer_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled) return;
    waits_until_.reset();
    carry_out(core_.on_timer(now()));
  });
}

// --- the dispatcher ---

void Agent::carry_out(action::Dial) {
  if (is_encrypted(options_.urls.front()) && !tls_) {
    Result<std::shared_ptr<const TlsDialler>> made = trust();
    if (!made) return carry_out(core_.on_failed(now(), made.error().message));
    tls_ = std::move(*made);
  }
  dial(io_.get_executor(), options_.urls.front(), dial_limit, tls_,
       [this](Result<ConnectionPtr> dialled) { on_dialled(std::move(dialled)); });
}

// By certificates we were given, else by the pin in the credential, else by the
// authorities of this machine.
Result<std::shared_ptr<const TlsDialler>> Agent::trust() const {
  TlsTrust trust;
  trust.chain = options_.certificates;
  if (trust.chain.empty() && options_.credential) trust.pin = options_.credential->pin;
  trust.system_authorities = trust.chain.empty() && !trust.pin;
  Result<TlsDialler> made = TlsDialler::make(std::move(trust));
  if (!made) return made.error();
  return std::make_shared<const TlsDialler>(std::move(*made));
}

void Agent::on_dialled(Result<ConnectionPtr> dialled) {
  if (!dialled) return carry_out(core_.on_dial_failed(now(), dialled.error()));
  dispatcher_ = std::move(*dialled);
  handshake_.reset();
  // On this machine the kernel says who is there; elsewhere it has to be proved.
  if (!dispatcher_->peer().network) dispatcher_->set_limit(max_payload);
  dispatcher_->start({[this](Frame&& frame) { carry_out(core_.on_frame(now(), std::move(frame))); },
                      [this, raw = dispatcher_.get()](const Connection::End& end) {
                        if (dispatcher_.get() != raw) return;
                        dispatcher_ = nullptr;
                        carry_out(core_.on_disconnected(now(), {end.reason, end.code}));
                      }});
  carry_out(core_.on_connected(now()));
}

void Agent::carry_out(action::Greet greet) {
  if (!greet.resume) resumption_.reset();
  Result<Frame> hello = first_hello();
  if (!hello) return carry_out(core_.on_failed(now(), hello.error().message));
  dispatcher_->send(std::move(*hello));
}

Frame Agent::introduction() const {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  Frame frame(Type::hello);
  frame.with(Key::url, to_string(options_.urls.front())).with(Key::instance, instance_);
  frame.with(Key::host, host).with(Key::pid, static_cast<std::uint64_t>(::getpid()));
  frame.with(Key::keeps, kept_blocks_limit_);
  return frame;
}

Result<Frame> Agent::first_hello() {
  if (!dispatcher_->peer().network) {
    Frame hello = introduction();
    hello.with(Key::role, static_cast<std::uint64_t>(Role::agent)).with(Key::version, program_version);
    return hello;
  }
  const Credential& own = *options_.credential;
  Secret token = resumption_      ? resumption_->token.copy()
                 : own.ranks == 0 ? own.token.copy()
                                  : rank_token(own.token, options_.rank);
  handshake_.emplace(resumption_ ? resumption_->id : own.id, std::move(token),
                     resumption_ ? 0 : options_.rank, dispatcher_->peer().binding);
  return handshake_->hello(Role::agent, program_version);
}

void Agent::carry_out(action::Prove prove) {
  Result<Frame> proof = handshake_->on_challenge(prove.challenge, introduction());
  if (!proof) return carry_out(core_.on_not_proven(now(), proof.error().message));
  dispatcher_->set_limit(max_payload);
  dispatcher_->keep_blocks(kept_blocks_limit_);
  if (!resumption_) resumption_ = handshake_->resumption();
  dispatcher_->send(std::move(*proof));
  carry_out(core_.on_proven(now()));
}

void Agent::carry_out(action::Tell tell) {
  if (tell.frame.type == Type::join && options_.job_end)
    tell.frame.with(Key::time_left_ms, time_left(*options_.job_end));
  // What a task says is left out where the dispatcher does not keep up.
  if (tell.frame.type == Type::said && dispatcher_->waiting() > max_unheard) return;
  dispatcher_->send(std::move(tell.frame));
}

void Agent::carry_out(action::HangUp hang_up) { dispatcher_->drop(std::move(hang_up.reason), hang_up.code); }

// --- R ---

void Agent::carry_out(action::Start start) {
  Result<pid_t> pid = start_r(start);
  carry_out(pid ? core_.on_started(now(), start.rank, *pid)
                : core_.on_not_started(now(), start.rank, pid.error().message));
}

Result<pid_t> Agent::start_r(action::Start what) {
  Result<std::pair<Descriptor, Descriptor>> pair = make_socketpair();
  if (!pair) return pair.error();
  RStart start;
  start.rscript = options_.rscript;
  std::optional<RandomStream> stream;
  if (what.rank < options_.streams.size()) stream = substream(options_.streams[what.rank], what.starts);
  start.call = (options_.brings ? std::string(bringing_call) + ";" : "") +
               daemon_call("fd:3", "", options_.daemon, stream);
  start.output = options_.output;
  start.stream = pair->second.get();
  // Else a start-up file that calls daemons() would do so in each of them.
  start.environment.emplace_back("TENKAI_DAEMON_STARTS", "1");
  if (options_.in_job) {
    for (auto& variable : device_variables(what.rank, daemons_.size())) start.environment.push_back(variable);
  }
  if (!options_.logs.empty()) start.log_file = log_of(what.rank) + ".log";
  Result<pid_t> pid = processes_.start(start, [this, rank = what.rank](pid_t, const REnd& end) {
    carry_out(core_.on_r_ended(now(), rank, end));
  });
  if (!pid) return Error{pid.error().message + "; is R installed on this machine, and in PATH?"};
  attach(what.rank, pair->first.release());
  return pid;
}

// Numbered through all agents of the job, as the daemons of the session are.
std::string Agent::log_of(std::uint32_t rank) const {
  return options_.logs + "/" + options_.log_name + "daemon-" +
         std::to_string(options_.first_daemon + rank + 1);
}

void Agent::attach(std::uint32_t rank, int descriptor) {
  ConnectionPtr& stream = daemons_[rank].stream;
  stream = adopt_socket(io_.get_executor(), descriptor, "R " + std::to_string(rank));
  stream->set_limit(max_payload);
  stream->start({[this, rank](Frame&& frame) { carry_out(core_.on_r_frame(now(), rank, std::move(frame))); },
                 [this, rank, raw = stream.get()](const Connection::End&) {
                   if (daemons_[rank].stream.get() != raw) return;
                   daemons_[rank].stream = nullptr;
                   carry_out(core_.on_r_stream_ended(now(), rank));
                 }});
}

void Agent::carry_out(action::Pass pass) { daemons_[pass.rank].stream->send(std::move(pass.frame)); }

void Agent::carry_out(action::Release release) {
  std::exchange(daemons_[release.rank].stream, nullptr)->drop("its R has ended");
}

void Agent::carry_out(action::BeginTaskLog log) {
  daemons_[log.rank].task_log_begin = size_of_file(log_of(log.rank) + ".log");
}

void Agent::carry_out(action::EndTaskLog log) {
  copy_end_of_log(log_of(log.rank) + ".log", daemons_[log.rank].task_log_begin,
                  log_of(log.rank) + "-task-" + std::to_string(log.task) + ".log");
}

// --- people, and the end ---

void Agent::carry_out(action::Warn warn) { spdlog::warn("{}", warn.text); }

void Agent::carry_out(action::Complain complain) {
  spdlog::error("{}", complain.text);
  if (!complain.aloud) return;
  std::string line = "tenkai agent: " + printable(complain.text, 5000) + "\n";
  // There is nobody else to be told.
  [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

void Agent::carry_out(action::Stop) {
  if (dispatcher_) {
    dispatcher_->send(Frame(Type::bye));
    dispatcher_->close();
  }
  // One more turn for what is waiting to be written.
  stop_timer_.expires_after(std::chrono::milliseconds(20));
  stop_timer_.async_wait([this](boost::system::error_code) { io_.stop(); });
}

}  // namespace tenkai
