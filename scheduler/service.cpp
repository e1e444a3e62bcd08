#include "scheduler/service.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>
#include <variant>

#include "base/clock.h"
#include "base/parcel.h"
#include "base/random_hex.h"
#include "base/text.h"
#include "base/version.h"
#include "process/descriptor_limit.h"
#include "process/memory_group.h"

namespace tenkai {
namespace {

// How long daemons have to end when the session has, before they are killed.
constexpr std::chrono::seconds time_to_end{5};

// What the user is told while the session is busy with something else. A daemon can
// go wrong a thousand times a second.
constexpr std::size_t max_notes = 100;

// What tasks say is left out where a session leaves more than this unread.
constexpr std::uint64_t max_unheard = 64 * 1024 * 1024;
constexpr std::size_t max_unheard_frames = 65536;
// To one everywhere(): more than there can be daemons.
constexpr std::uint64_t most_answers = 65536;

Rules rules_of(const Setup& setup) {
  Rules rules;
  rules.policy = setup.policy;
  rules.retries = setup.retries;
  rules.kill_after = setup.kill_after;
  rules.patience = setup.patience;
  rules.memory_limit = setup.memory_limit.value_or(memory_available() / 2);
  return rules;
}

// Each slot has a door, if it is on this machine, and a daemon; a local one writes to a pipe.
Result<Done> keep_descriptors_for(const Setup& setup) {
  constexpr std::size_t own = 16;
  std::size_t doors = has_slots(setup.policy) && setup.urls.empty() ? setup.slots() : 1;
  std::size_t needed = own + doors + 2 * setup.local_daemons();
  return keep_descriptors(needed, std::max(needed, own + 3 * setup.slots()));
}

Submit submitted_in(Frame frame) {
  Submit submit;
  submit.task = frame.task;
  submit.payload = std::move(frame.payload);
  if (frame.find(Key::timeout_ms) != nullptr) {
    submit.timeout = std::chrono::milliseconds(frame.number(Key::timeout_ms));
  }
  if (frame.find(Key::time_request_ms) != nullptr) {
    submit.time_request = std::chrono::milliseconds(frame.number(Key::time_request_ms));
  }
  if (frame.find(Key::slot) != nullptr) submit.slot = frame.number(Key::slot) - 1;
  submit.label = frame.text(Key::label);
  return submit;
}

}  // namespace

Service::Service(asio::io_context& io, ConnectionPtr session, OpenLauncher open_launcher)
    : io_(io),
      session_(std::move(session)),
      session_id_(std::stoull(random_hex(7), nullptr, 16) + 1),
      processes_(io.get_executor()),
      strangers_(io.get_executor()),
      greeting_(io.get_executor(),
                {[this](const ListenerHandshake::Claim& claim) {
                   return keys_.grants().token_of(claim.id, claim.rank);
                 },
                 [this](const ConnectionPtr& connection, const Frame& introduction, const Proven* proven) {
                   if (!peers_ || ending_)
                     return refuse(*connection, "the session has ended", program_version);
                   peers_->on_hello(connection, introduction, proven);
                 }}),
      doors_(io.get_executor(), strangers_,
             [this](ConnectionPtr stranger) { greeting_.receive(std::move(stranger)); }),
      local_(dependencies_of_local()),
      viewers_(io.get_executor(), strangers_, for_viewers()),
      begun_(now()),
      end_timer_(io) {
  if (open_launcher) launcher_ = open_launcher(dependencies_of_launcher());
}

LauncherInterface::Dependencies Service::dependencies_of_launcher() {
  return {io_.get_executor(),
          [this]() -> const std::vector<Url>& { return doors_.urls(); },
          [this](const std::vector<std::size_t>& slots, std::uint32_t agents,
                 std::uint32_t uses) -> Result<Issued> {
            std::vector<Url> urls;
            for (std::size_t slot : slots) urls.push_back(doors_.urls()[slot]);
            if (!is_network(urls.front())) return Issued{};  // the kernel vouches for who comes there
            return keys_.line_for_job(slots, urls, agents, uses);
          },
          [this](GrantId grant) { keys_.grants().revoke(grant); },
          [this](const std::string& text, const std::string& launches) { tell(text, launches); },
          [this](std::optional<std::chrono::milliseconds> room) {
            return dispatcher_ ? dispatcher_->load(room) : Load();
          },
          [this](std::optional<std::chrono::milliseconds> room) {
            if (dispatcher_) apply(dispatcher_->on_scaled(now(), room));
          },
          [this](const std::vector<std::size_t>& slots) {
            if (dispatcher_) apply(dispatcher_->on_unneeded(now(), slots));
          },
          [this](const Size& size, const std::string& why) {
            if (dispatcher_) apply(dispatcher_->on_size_unavailable(now(), size, why));
          },
          [this]() -> const Retries& { return setup_.retries; },
          [this](std::size_t count, bool take) { return next_streams(count, take); },
          [this](GrantId grant, const std::vector<std::size_t>& slots, const Cause& cause) {
            if (peers_) peers_->on_job_over(grant, slots, cause);
          },
          [this](GrantId grant, const std::vector<std::size_t>& slots, bool is_suspended) {
            if (peers_) peers_->on_job_suspended(grant, slots, is_suspended);
          },
          [this] { look_ahead(); }};
}

void Service::start() {
  session_->start({[this](Frame&& frame) { on_session_frame(std::move(frame)); },
                   [this](const Connection::End& end) {
                     spdlog::info("the session has ended: {}", end.reason);
                     if (!end.orderly) trouble_ = "the link to the session broke: " + end.reason;
                     on_session_ended(false);
                   }});
  // A fork of the session may keep the stream open after its end.
  if (std::optional<pid_t> pid = session_->peer().pid) {
    processes_.watch(*pid, [this] {
      spdlog::info("the process of the session has ended");
      on_session_ended(false);
    });
  }
}

// --- the session ---

void Service::on_session_frame(Frame&& frame) {
  notes_ = 0;
  if (frame.type == Type::hello) return on_hello(frame);
  if (!greeted_) return session_->drop("the first frame must be HELLO");
  if (frame.type == Type::setup) return on_setup(frame);
  if (frame.type == Type::bye) return on_session_ended(frame.kind<ByeKind>() == ByeKind::end_all);
  if (!dispatcher_) return session_->drop("SETUP must come before anything else");
  switch (frame.type) {
    case Type::submit:
      return apply(dispatcher_->on_submit(now(), session_id_, submitted_in(std::move(frame))));
    case Type::map: {
      Dispatcher::Map map{frame.task, frame.number(Key::count), std::move(frame.payload),
                          frame.number(Key::chunk)};
      return apply(dispatcher_->on_map(now(), session_id_, std::move(map)));
    }
    case Type::elements:
      if (!Parcel::in(view_of(frame.payload))) return session_->drop("elements of a map came in no parcel");
      return apply(dispatcher_->on_elements(now(), session_id_, frame.task, std::move(frame.payload)));
    case Type::everywhere:
      return apply(dispatcher_->on_everywhere(
          now(), session_id_, std::move(frame.payload),
          {frame.task, std::min(frame.number(Key::count), most_answers), frame.number(Key::minimum)}));
    case Type::cancel:
      return apply(dispatcher_->on_cancel(now(), session_id_, frame.task, frame.number(Key::count, 1)));
    case Type::request: return on_request(frame);
    case Type::hello:
    case Type::setup:
    case Type::bye:
    case Type::welcome:
    case Type::refused:
    case Type::ready:
    case Type::resolved:
    case Type::reply:
    case Type::note:
    case Type::join:
    case Type::left:
    case Type::task:
    case Type::finished:
    case Type::ack:
    case Type::ping:
    case Type::pong:
    case Type::segment:
    case Type::challenge:
    case Type::said:
    case Type::block:
    case Type::proof: break;
  }
  session_->drop("a frame of type " + std::to_string(static_cast<int>(frame.type)) + " does not belong here");
}

void Service::on_hello(const Frame& frame) {
  std::string mismatch = version_mismatch(frame, program_version);
  if (!mismatch.empty()) return refuse(*session_, mismatch, program_version);
  greeted_ = true;
  session_->set_limit(max_payload);
  session_->send(Frame(Type::welcome)
                     .with(Key::version, program_version)
                     .with(Key::memory_limit, memory_available() / 2));
}

void Service::on_setup(const Frame& frame) {
  if (dispatcher_) return session_->drop("a second SETUP came");
  std::vector<std::string> warnings;
  Result<Setup> setup = parse_setup(view_of(frame.payload));
  Result<Done> done = setup ? settle(*setup, warnings) : Result<Done>(setup.error());
  if (done) done = set_up(std::move(*setup));
  if (!done) {
    doors_.close();
    processes_.kill_all();
    return refuse(*session_, done.error().message, program_version);
  }
  Frame ready(Type::ready);
  ready.payload = make_payload(ready_lines(setup_, doors_.urls(), warnings));
  session_->send(std::move(ready.with(Key::memory_limit, rules_of(setup_).memory_limit)));
}

Result<Done> Service::settle(Setup& setup, std::vector<std::string>& warnings) {
  if (launcher_) {
    Result<Done> settled = launcher_->settle(setup, warnings);
    if (!settled) return settled;
  }
  return tenkai::settle(setup);
}

// Those of the next so many daemons; none where there are none.
std::vector<RandomStream> Service::next_streams(std::size_t count, bool take) {
  if (!setup_.stream) return {};
  RandomStream next = *setup_.stream;
  std::vector<RandomStream> streams = deal_streams(next, count);
  if (take) setup_.stream = next;
  return streams;
}

Result<Done> Service::start_local(std::size_t slot, DaemonOptions options) {
  std::vector<RandomStream> streams = next_streams(1, true);
  LocalDaemons::Told told{std::move(options), std::nullopt};
  if (!streams.empty()) told.stream = streams.front();
  return local_.start(slot, told);
}

Result<Done> Service::set_up(Setup setup) {
  setup_ = std::move(setup);
  bool one_url = !has_slots(setup_.policy);
  Result<Done> enough = keep_descriptors_for(setup_);
  if (!enough) return enough;
  bool respawn = setup_.respawn && setup_.policy != Policy::ephemeral;
  local_.set_up(
      {setup_.rscript, setup_.shows_output(), respawn, one_url, setup_.policy == Policy::ephemeral});
  if (setup_.daemon_memory) processes_.limit_memory(*setup_.daemon_memory);
  std::size_t slots = one_url ? 1 : setup_.slots();
  std::vector<Url> urls;
  if (setup_.urls.empty()) {
    for (std::size_t i = 0; i < slots; ++i) urls.push_back(fresh_local_url());
  } else if (one_url) {
    urls.push_back(setup_.urls.front());
  } else {
    Result<std::vector<Url>> expanded = expand_urls(setup_.urls, slots);
    if (!expanded) return expanded.error();
    urls = std::move(*expanded);
  }
  std::vector<std::string> notes;
  Result<Done> prepared = keys_.prepare(setup_, urls, notes);
  if (prepared) prepared = keys_.expect(slots);
  if (!prepared) return prepared;
  Result<Done> open = doors_.open(std::move(urls), keys_.identity(), {setup_.first_port, setup_.last_port},
                                  setup_.tokens && !one_url);
  if (!open) return open;
  const Url& first = doors_.urls().front();
  notes.push_back(note_about_loopback(first, doors_.address_of(first), own_addresses()));
  if (!setup_.insecure) notes.push_back(warning_about(doors_.urls()));
  for (const std::string& note : notes) {
    if (!note.empty()) tell(note);
  }

  dispatcher_.emplace(rules_of(setup_), one_url ? 0 : slots);
  Liveness::Limits limits;
  limits.reconnect = setup_.reconnect;
  peers_.emplace(
      io_.get_executor(),
      Peers::Dependencies{*dispatcher_, doors_, keys_.grants(), processes_, local_,
                          [this](Resolve& resolve) { answer(resolve); },
                          [this](Frame&& said) { pass_on(std::move(said)); }, [this] { start_for_task(); },
                          [this](const std::string& text) { tell(text); },
                          [this] {
                            check_await(false);
                            look_ahead();
                          },
                          launcher_.get(), one_url},
      limits);
  awaited_ = setup_.local_daemons() == 0;  // nobody will ask how the first ones have fared
  apply(dispatcher_->on_session_joined(now(), session_id_));
  for (std::size_t i = 0; i < setup_.local_daemons(); ++i) {
    Result<Done> launched = start_local(one_url ? 0 : i, setup_.daemon);
    if (!launched) return launched;
  }
  viewers_.open();
  look_ahead();
  return Done{};
}

void Service::tell(const std::string& text, const std::string& launches) {
  if (notes_ > max_notes) return;
  bool too_many = ++notes_ > max_notes;
  Frame note(Type::note);
  note.with(Key::message, too_many ? "there is more to tell, which is left out" : text);
  if (!launches.empty() && !too_many) note.payload = make_payload(launches);
  session_->send(std::move(note));
}

// --- local daemons ---

LocalDaemons::Dependencies Service::dependencies_of_local() {
  return {io_.get_executor(),
          processes_,
          [this](std::size_t slot) -> const Url& { return doors_.urls()[slot]; },
          [this](std::size_t slot) { return credential_for(slot); },
          [this](std::size_t slot) { return has_slots(setup_.policy) && dispatcher_->slots()[slot].online; },
          [this](pid_t pid, const REnd& end) { peers_->on_process_ended(pid, end); },
          [this](const std::string& why, const std::string& log, bool again) {
            return on_not_come(why, log, again);
          },
          [this](const std::string& text) { tell(text); },
          [this] { look_ahead(); }};
}

// Whether it may be started again.
bool Service::on_not_come(const std::string& why, const std::string& log, bool again) {
  if (ending_) return false;
  std::string told = log.empty() ? why : why + "; its last lines:\n" + log;
  spdlog::warn("{}", told);
  if (setup_.policy == Policy::ephemeral) {
    apply(dispatcher_->on_launch_failed(now(), {Cause::Kind::quit, told}));
    return false;
  }
  if (awaited_) {
    if (!again) tell(told);
    return again;
  }
  // The first ones are the business of whoever waits for them, or is about to.
  failed_start_ = told;
  check_await(false);
  return false;
}

// It is known whether more of the session's own daemons will come. Anybody may come to a URL
// that was given, as long as nothing was launched for it.
Prospects Service::prospects() const {
  if (local_.is_any_to_come()) return {Prospects::Kind::coming, {}};
  Prospects launched = launcher_ ? launcher_->prospects() : Prospects();
  if (launched.kind == Prospects::Kind::coming) return launched;
  bool given_out = !setup_.credential_file.empty();
  for (std::size_t slot = 0; slot < doors_.urls().size() && !given_out; ++slot)
    given_out = keys_.grants().fresh_for(slot).has_value();
  bool expected = launched.kind == Prospects::Kind::open && !setup_.urls.empty();
  if (given_out || expected) return {};
  std::string why = launched.why.empty() ? local_.last_end() : launched.why;
  return {Prospects::Kind::none, why};
}

void Service::look_ahead() {
  if (!dispatcher_ || ending_ || setup_.policy == Policy::ephemeral) return;
  Prospects now_known = prospects();
  if (prospects_ == now_known) return;
  prospects_ = now_known;
  apply(dispatcher_->on_prospects(now(), std::move(now_known)));
}

// --- what the dispatcher decided ---

void Service::answer(Resolve& resolve) {
  Frame frame(Type::resolved);
  resolved_ += std::max<std::uint64_t>(resolve.count, 1);
  frame.task = resolve.key.task;
  if (resolve.count > 0) frame.with(Key::count, resolve.count);
  frame.payload = std::move(resolve.payload);
  if (resolve.failed) frame.with(Key::failed, 1);
  if (resolve.usage.is_known()) put(frame, resolve.usage);
  if (resolve.code != Code::none) frame.with(Key::code, static_cast<std::uint64_t>(resolve.code));
  // A time-out, a cancellation and a reset of the session explain themselves.
  bool explained = resolve.code == Code::reset || resolve.code == Code::out_of_memory;
  if (explained) frame.with(Key::message, resolve.reason);
  session_->send_soon(std::move(frame));
}

// The session sees by the numbers of the frames that some are missing.
void Service::pass_on(Frame&& said) {
  if (session_->waiting() > max_unheard || session_->unread() > max_unheard_frames) return;
  session_->send_soon(std::move(said));
}

void Service::start_for_task() {
  Result<Done> launched = start_local(0, setup_.daemon);
  if (launched) return;
  // Not from inside apply(): the dispatcher is not asked while it is obeyed.
  asio::post(io_, [this, why = launched.error().message] {
    std::string told = "the R process for this task could not be started: " + why;
    apply(dispatcher_->on_launch_failed(now(), {Cause::Kind::quit, told}));
  });
}

// --- the end ---

void Service::on_session_ended(bool stop) {
  if (std::exchange(ending_, true)) return;
  local_.close();
  doors_.close();
  viewers_.close();
  if (dispatcher_) {
    bool leave_alone = setup_.daemon.autoexit() != Autoexit::now && !stop;
    if (!leave_alone) {
      // Interrupts what runs; peers learn the rest from BYE.
      Sends sends = dispatcher_->on_session_left(now(), session_id_);
      std::erase_if(sends, [](const Send& send) { return !std::holds_alternative<Interrupt>(send); });
      apply(std::move(sends));
    }
    peers_->close(stop);
  }
  session_->send(Frame(Type::bye));
  session_->close();
  // After BYE has gone out to the agents, some of them through tunnels that it keeps.
  launcher_is_closed_ = launcher_ == nullptr;
  if (launcher_) launcher_->close([this] { launcher_is_closed_ = true; });
  if (!dispatcher_ || setup_.daemon.autoexit() != Autoexit::now) {
    if (!stop) return wait_for_processes(now());
  }
  wait_for_processes(now() + time_to_end);
}

void Service::wait_for_processes(Time until) {
  if (processes_.size() == 0 && launcher_is_closed_) {
    // One more turn, so that what is waiting on the sockets is written.
    end_timer_.expires_after(std::chrono::milliseconds(50));
    end_timer_.async_wait([this](boost::system::error_code) { io_.stop(); });
    return;
  }
  if (now() >= until && setup_.daemon.autoexit() == Autoexit::now) processes_.kill_all();
  if (now() >= until && launcher_is_closed_) return io_.stop();
  end_timer_.expires_after(std::chrono::milliseconds(20));
  end_timer_.async_wait([this, until](boost::system::error_code) { wait_for_processes(until); });
}

}  // namespace tenkai
