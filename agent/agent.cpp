#include "agent/agent.h"

#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/text.h"
#include "base/version.h"
#include "wire/dial.h"

namespace tenkai {
namespace {

constexpr std::chrono::seconds dial_limit{10};  // for each step
constexpr std::chrono::milliseconds first_pause{50};
constexpr std::chrono::milliseconds longest_pause{1000};
constexpr std::chrono::seconds patience_at_the_door{5};
// A host that answers "nobody listens here" is up, and what listened is not.
constexpr std::chrono::seconds patience_when_refused{5};
constexpr std::size_t instance_bytes = 8;  // 16 hexadecimal digits

std::chrono::milliseconds jitter(std::chrono::milliseconds pause) {
  // Many agents that lost one dispatcher should not all call at once.
  unsigned random = static_cast<unsigned>(std::stoul(random_hex(2), nullptr, 16));
  return pause / 2 + pause * random / 65536 / 2;
}

}  // namespace

Agent::Agent(asio::io_context& io, AgentOptions options)
    : io_(io),
      options_(std::move(options)),
      instance_(random_hex(instance_bytes)),
      processes_(io.get_executor()),
      signals_(io),
      dial_timer_(io),
      end_timer_(io) {
  if (options_.memory_limit) processes_.limit_memory(*options_.memory_limit);
  ranks_.resize(options_.daemons);
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    ranks_[i].number = static_cast<std::uint32_t>(i);
    ranks_[i].url = to_string(options_.urls[std::min(i, options_.urls.size() - 1)]);
  }
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
  if (options_.adopt_pid) {
    Rank& rank = ranks_.front();
    rank.pid = *options_.adopt_pid;
    rank.life = Rank::Life::alive;
    // Where its end cannot be seen, the end of its stream has to do.
    processes_.adopt(*rank.pid, [this](pid_t, const REnd& end) { on_r_ended(0, end); });
    attach(0, options_.adopt_fd);
  }
  dial_dispatcher();
}

// --- the dispatcher ---

void Agent::dial_dispatcher() {
  if (is_encrypted(options_.urls.front()) && !tls_) {
    Result<std::shared_ptr<const TlsDialler>> made = trust();
    if (!made) return give_up(made.error().message);
    tls_ = std::move(*made);
  }
  dial(io_.get_executor(), options_.urls.front(), dial_limit, tls_,
       [this](Result<ConnectionPtr> connection) { on_dialled(std::move(connection)); });
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

void Agent::on_dialled(Result<ConnectionPtr> connection) {
  if (ending_) return;
  if (!connection) return dial_again(connection.error());
  greet(*connection);
}

void Agent::greet(const ConnectionPtr& connection) {
  dispatcher_ = connection;
  if (connection->peer().network && !options_.credential) {
    return give_up(text_of(Code::permission_denied) + ": a daemon that comes over the network to " +
                   to_string(options_.urls.front()) +
                   " needs a credential; launch_remote() on the host makes a command that has one");
  }
  // On this machine the kernel says who is there; elsewhere it has to be proved.
  if (!connection->peer().network) connection->set_limit(max_payload);
  connection->start({[this](Frame&& frame) { on_frame(std::move(frame)); },
                     [this, raw = connection.get()](const Connection::End& end) {
                       if (dispatcher_.get() == raw) on_disconnected(end);
                     }});
  handshake_.reset();
  Result<Frame> hello = first_hello();
  if (!hello) return give_up(hello.error().message);
  connection->send(std::move(*hello));
  expect_answer();
}

// A tunnel with a dead end, or a stopped dispatcher, takes the call and says nothing.
void Agent::expect_answer() {
  dial_timer_.expires_after(dial_limit);
  dial_timer_.async_wait([this, raw = dispatcher_.get()](boost::system::error_code cancelled) {
    if (cancelled || welcomed_ || dispatcher_.get() != raw) return;
    dispatcher_->drop(text_of(Code::timed_out) + ": connected to " + to_string(options_.urls.front()) +
                          ", but no WELCOME came",
                      Code::timed_out);
  });
}

Frame Agent::introduction() const {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  Frame frame(Type::hello);
  frame.with(Key::url, ranks_.front().url).with(Key::instance, instance_);
  frame.with(Key::host, host).with(Key::pid, static_cast<std::uint64_t>(::getpid()));
  return frame;
}

Result<Frame> Agent::first_hello() {
  if (!dispatcher_->peer().network) {
    Frame hello = introduction();
    hello.with(Key::role, static_cast<std::uint64_t>(Role::agent)).with(Key::version, program_version);
    return hello;
  }
  const Credential& own = *options_.credential;
  resuming_ = resumption_.has_value();
  Secret token = resuming_        ? resumption_->token.copy()
                 : own.ranks == 0 ? own.token.copy()
                                  : rank_token(own.token, options_.rank);
  handshake_.emplace(resuming_ ? resumption_->id : own.id, std::move(token), resuming_ ? 0 : options_.rank,
                     dispatcher_->peer().binding);
  return handshake_->hello(Role::agent, program_version);
}

void Agent::on_challenge(const Frame& frame) {
  Result<Frame> proof = handshake_->on_challenge(frame, introduction());
  if (!proof && resuming_ && (!was_welcomed_ || options_.credential->uses == 0)) {
    // It never heard our first proof, or it is another dispatcher with the same
    // credential: it does not know how we would come back.
    resumption_.reset();
    return dispatcher_->drop("the way back is not known there");
  }
  if (!proof) return on_turned_away(to_string(options_.urls.front()) + ": " + proof.error().message);
  // Only now is it known to be the dispatcher.
  dispatcher_->set_limit(max_payload);
  if (!resuming_) resumption_ = handshake_->resumption();
  dispatcher_->send(std::move(*proof));
  expect_answer();
}

void Agent::send(Frame frame) {
  if (welcomed_ && dispatcher_) dispatcher_->send(std::move(frame));
}

void Agent::on_frame(Frame&& frame) {
  if (!welcomed_) {
    bool must_prove = handshake_ && !dispatcher_->knows_peer();
    if (frame.type == Type::challenge && must_prove) return on_challenge(frame);
    if (frame.type == Type::welcome && !must_prove) return on_welcome(frame);
    return on_turned_away(frame.type == Type::refused ? printable(frame.text(Key::message), 2000)
                                                      : "the dispatcher did not say WELCOME");
  }
  if (frame.type == Type::ping) return dispatcher_->send(Frame(Type::pong));
  if (frame.type == Type::pong) return;
  if (frame.rank >= ranks_.size()) return;
  Rank& rank = ranks_[frame.rank];
  switch (frame.type) {
    case Type::welcome:
      rank.accepted = true;
      if (rank.stream) rank.stream->send(Frame(Type::welcome).with(Key::version, program_version));
      return;
    case Type::refused:
      if (rank.stream) rank.stream->send(Frame(Type::refused).with(Key::message, frame.text(Key::message)));
      rank.said_goodbye = true;
      if (rank.accepted) return;
      exit_code_ = 1;
      return complain(std::string(frame.text(Key::message)));
    case Type::task: return on_task(rank, std::move(frame));
    case Type::cancel: return on_cancel(rank, frame);
    case Type::ack: rank.held.reset(); return;
    case Type::bye: return on_goodbye(frame.kind<ByeKind>() == ByeKind::end_all);
    default: return;
  }
}

void Agent::on_welcome(const Frame& frame) {
  welcomed_ = true;
  dial_timer_.cancel();
  patience_ = std::chrono::milliseconds(frame.number(Key::grace_ms, 60000));
  pause_ = std::chrono::milliseconds(0);
  cut_off_since_.reset();
  turned_away_since_.reset();
  if (!std::exchange(was_welcomed_, true) && !options_.adopt_pid) return start_daemons();
  for (Rank& rank : ranks_) {
    if (rank.left) send(*rank.left);
    if (rank.given_up) send(*rank.given_up);
    if (rank.up) join(rank);
  }
}

void Agent::on_disconnected(const Connection::End& end) {
  welcomed_ = false;
  dispatcher_ = nullptr;
  if (ending_) return;
  spdlog::warn("the connection to {} is gone: {}", to_string(options_.urls.front()), end.reason);
  if (was_welcomed_ || end.code != Code::none) return dial_again({end.reason, end.code});
  dial_again(with_code(Code::reset, to_string(options_.urls.front()) + " hung up before it said WELCOME (" +
                                        end.reason + ")"));
}

void Agent::dial_again(const Error& why) {
  bool for_ever = options_.autoexit == Autoexit::stay;
  // Somebody took the call and hung up: at a door that many besiege this happens to
  // those who belong there, too.
  bool hung_up = why.code == Code::reset && Clock::now() - born_ < patience_at_the_door;
  if (!was_welcomed_ && !for_ever && !hung_up) return give_up(why.message);
  auto since = cut_off_since_.value_or(Clock::now());
  cut_off_since_ = since;
  bool refused = why.code == Code::refused || why.code == Code::not_found;
  auto patience = refused ? std::min<Clock::duration>(patience_when_refused, patience_) : patience_;
  if (!for_ever && Clock::now() - since > patience) return give_up(why.message);
  dial_timer_.expires_after(jitter(pause_));
  pause_ = std::clamp(pause_ * 2, first_pause, longest_pause);
  dial_timer_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled && !ending_) dial_dispatcher();
  });
}

// Whoever says no may be anybody: bytes that were changed on their way look like it, or
// another program that has the port for a moment. With daemons at work it is asked again.
void Agent::on_turned_away(const std::string& why) {
  auto since = turned_away_since_.value_or(Clock::now());
  turned_away_since_ = since;
  bool is_final = !dispatcher_->peer().network || Clock::now() - since > patience_when_refused;
  if (!was_welcomed_ || is_final) return give_up(why);
  dispatcher_->drop(why);
}

// Whoever has started us reads it: a launcher, or a person.
void Agent::complain(const std::string& why) {
  if (options_.adopt_pid) return;
  std::string line = "tenkai agent: " + printable(why, 5000) + "\n";
  // There is nobody else to be told.
  [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

// There is no dispatcher, or it does not want us: the daemons learn why.
void Agent::give_up(const std::string& why) {
  spdlog::error("{}", why);
  if (dispatcher_) dispatcher_->drop(why);
  for (Rank& rank : ranks_) {
    if (rank.stream && !rank.accepted) rank.stream->send(Frame(Type::refused).with(Key::message, why));
  }
  exit_code_ = 1;
  complain(why);
  ending_ = true;
  end_daemons(options_.autoexit != Autoexit::finish);
}

}  // namespace tenkai
