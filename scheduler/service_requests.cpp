// What a session asks its service for, and the answers: docs/protocol.md lists them.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/lines.h"
#include "base/text.h"
#include "scheduler/service.h"
#include "wire/private_file.h"
#include "wire/secret.h"

namespace tenkai {
namespace {

std::string_view state_of(const Slot& slot) {
  if (!slot.online) return "";
  if (slot.suspect) return "suspect";
  return slot.busy ? "busy" : "idle";
}

}  // namespace

void Service::on_request(const Frame& frame) {
  std::string name = frame.text(Key::name);
  if (name == "status") return reply_status(frame);
  if (name == "info") return reply_info(frame);
  if (name == "saisei") return reply_saisei(frame);
  if (name == "launch") return reply_launch(frame);
  if (name == "launch_remote") return reply_launch_remote(frame);
  if (name == "stream") return reply_stream(frame);
  if (name == "await") return begin_await(frame);
  if (name == "credential") return reply_credential(frame);
  if (name == "certificate") return reply(frame.task, keys_.certificate());
  reply_error(frame.task, Code::closed, "'" + printable(name) + "' is not a request this dispatcher knows");
}

std::string Service::status() const {
  std::string lines = std::to_string(peers_->online()) + "\n";
  const std::vector<Slot>& slots = dispatcher_->slots();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const Slot& slot = slots[i];
    const Url& url = doors_.urls()[std::min(i, doors_.urls().size() - 1)];
    lines += row_of({to_string(url), slot.online ? "1" : "0", std::to_string(slot.instance),
                     std::to_string(slot.assigned), std::to_string(slot.complete), state_of(slot)});
  }
  if (launcher_) lines += launcher_->status();
  return lines;
}

void Service::reply_status(const Frame& request) { reply(request.task, status()); }

std::string Service::counts() const {
  return line_of("waiting", std::to_string(dispatcher_->queued())) +
         line_of("running", std::to_string(dispatcher_->unresolved() - dispatcher_->queued())) +
         line_of("done", std::to_string(resolved_));
}

void Service::reply_info(const Frame& request) {
  std::uint64_t joined = 0;
  for (const Slot& slot : dispatcher_->slots()) joined += static_cast<std::uint64_t>(std::abs(slot.instance));
  reply(request.task, line_of("online", std::to_string(peers_->online())) +
                          line_of("joined", std::to_string(joined)) + counts() +
                          line_of("memory", std::to_string(dispatcher_->memory())) +
                          line_of("memory_peak", std::to_string(dispatcher_->peak_memory())) +
                          line_of("memory_limit", std::to_string(dispatcher_->memory_limit())));
}

void Service::reply_launch_remote(const Frame& request) {
  if (!launcher_)
    return reply_error(request.task, Code::closed, "this dispatcher launches nothing elsewhere");
  launcher_->on_request(view_of(request.payload), [this, task = request.task](Result<std::string> lines) {
    if (ending_) return;
    if (!lines) return reply_error(task, Code::reset, lines.error().message);
    reply(task, *lines);
  });
}

void Service::reply_saisei(const Frame& request) {
  std::uint64_t number = request.number(Key::slot);
  const std::vector<Slot>& slots = dispatcher_->slots();
  bool forced = request.kind<SaiseiKind>() == SaiseiKind::forced;
  if (!has_slots(setup_.policy) || number < 1 || number > slots.size()) return reply(request.task, "");
  std::size_t slot = static_cast<std::size_t>(number - 1);
  if (slots[slot].online && !forced) return reply(request.task, "");
  Result<std::optional<Url>> url = doors_.regenerate(slot);
  if (!url) return reply_error(request.task, Code::closed, url.error().message);
  // tcp has no place for a new name; what was given out for it is void all the same.
  if (!*url && has_slots(setup_.policy)) keys_.grants().void_unused(slot);
  if (!*url) return reply(request.task, "");
  keys_.grants().void_slot(slot);
  apply(dispatcher_->regenerate(now(), slot));
  peers_->drop_slot(slot);
  reply(request.task, to_string(**url));
}

// Lines `slot=`, and `daemon=` and `tls=` in place of what all daemons were given.
void Service::reply_launch(const Frame& request) {
  std::size_t slot = 0;
  DaemonOptions options;
  auto read = [&](std::string_view key, const std::string& value) -> Result<Done> {
    if (key == "slot") slot = to_number<std::size_t>(value).value_or(0);
    Result<bool> known = key == "slot" ? Result<bool>(true) : read_daemon_field(key, value, options);
    if (!known) return known.error();
    return *known ? Result<Done>(Done{}) : Error{"'" + printable(key) + "' says nothing of a launch"};
  };
  Result<Done> good = read_lines(view_of(request.payload), read);
  if (good && (slot < 1 || slot > doors_.urls().size()))
    good = Error{"there is no slot " + std::to_string(slot)};
  if (!good) return reply_error(request.task, Code::closed, good.error().message);
  options.add_missing(setup_.daemon.arguments);
  Result<Done> launched = start_local(slot - 1, std::move(options));
  if (!launched) return reply_error(request.task, Code::reset, launched.error().message);
  reply(request.task, "");
}

// The next stream of random numbers, for a daemon that is started elsewhere.
void Service::reply_stream(const Frame& request) {
  std::vector<RandomStream> streams = next_streams(1, true);
  reply(request.task, streams.empty() ? "" : to_text(streams.front()));
}

Result<std::string> Service::credential_for(std::size_t slot) {
  return keys_.line_for(slot, doors_.urls()[slot], !has_slots(setup_.policy));
}

// The credential of one slot (slot=3), or of a job: payload "slots=1,2,3", "ranks=3", "uses=2". Without
// ranks it is for daemons at one slot, and is shown to nobody else.
// With "file=PATH" nobody but that file gets to know it.
void Service::reply_credential(const Frame& request) {
  std::vector<std::size_t> slots;
  std::vector<Url> urls;
  std::uint32_t ranks = 0;
  std::uint32_t uses = 1;
  std::string file;
  auto add = [&](std::optional<std::uint64_t> number) {
    if (!number || *number < 1 || *number > doors_.urls().size()) return false;
    slots.push_back(static_cast<std::size_t>(*number - 1));
    urls.push_back(doors_.urls()[slots.back()]);
    return true;
  };
  auto read = [&](std::string_view key, const std::string& value) -> Result<Done> {
    if (key == "ranks") ranks = to_number<std::uint32_t>(value).value_or(0);
    if (key == "file") file = value;
    if (key == "uses") uses = to_number<std::uint32_t>(value).value_or(1);
    if (key != "slots") return Done{};
    for (std::string_view each : split(value, ','))
      if (!add(to_number<std::uint64_t>(each))) return Error{"there is no such slot"};
    return Done{};
  };
  bool good = read_lines(view_of(request.payload), read).has_value();
  bool alone = slots.empty();
  if (alone) good = add(request.number(Key::slot));
  if (!good) return reply_error(request.task, Code::closed, "there is no such slot to make a credential for");
  if (!is_network(urls.front())) return reply(request.task, "");  // the kernel vouches for who comes there
  Result<Issued> job = Issued{};
  if (!alone) job = keys_.line_for_job(slots, urls, ranks, uses);
  Result<std::string> line = !job    ? Result<std::string>(job.error())
                             : alone ? credential_for(slots.front())
                                     : std::move(job->line);
  if (!line) return reply_error(request.task, Code::closed, line.error().message);
  if (file.empty()) reply(request.task, *line);
  else reply_with_file(request.task, file, *line);
  wipe(*line);
  look_ahead();
}

void Service::reply_with_file(std::uint64_t request, const std::string& file, std::string_view line) {
  SecretText text(line.size() + 1);
  text.text.append(line).append("\n");
  Result<Done> written = write_private_file(file, text.text);
  if (!written) {
    return reply_error(request, Code::closed, "the credential was not written: " + written.error().message);
  }
  reply(request, "");
}

// --- viewers ---

Viewers::Callbacks Service::for_viewers() {
  return {[this] { return view(); },
          [this](std::string_view plan, Viewers::Reply reply) {
            if (!launcher_) return reply(Error{"this dispatcher launches nothing elsewhere"});
            launcher_->on_request(plan, std::move(reply));
          }};
}

// What the session knows by itself, and then what it would ask for.
std::string Service::view() const {
  auto uptime = std::chrono::duration_cast<std::chrono::milliseconds>(now() - begun_);
  std::string lines = line_of("profile", setup_.profile) + line_of("policy", name_of(setup_.policy)) +
                      line_of("autoexit", to_word(setup_.daemon.autoexit())) +
                      line_of("session_pid", std::to_string(session_->peer().pid.value_or(0))) +
                      line_of("uptime_ms", std::to_string(uptime.count())) + counts();
  std::optional<std::size_t> wanted = launcher_ ? launcher_->wanted() : std::nullopt;
  if (wanted) lines += line_of("wanted", std::to_string(*wanted));
  // Where each daemon has the same, also while there is none.
  if (!has_slots(setup_.policy)) lines += line_of("url", to_string(doors_.urls().front()));
  return lines + "\n" + status();
}

// --- waiting for daemons ---

void Service::begin_await(const Frame& request) {
  std::chrono::milliseconds limit(request.number(Key::timeout_ms));
  std::size_t wanted = static_cast<std::size_t>(request.number(Key::slot));
  await_ = std::make_unique<Await>(Await{request.task, asio::steady_timer(io_), limit, 0, wanted});
  await_->come = come_of(*await_);
  start_await_timer();
  check_await(false);
}

void Service::start_await_timer() {
  await_->timer.expires_after(await_->limit);
  await_->timer.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) check_await(true);
  });
}

// How many have come: those that are online, or, where it waits for so many to have joined,
// all that ever were.
std::size_t Service::come_of(const Await& await) const {
  if (await.wanted == 0) return peers_->online();
  std::size_t joined = 0;
  for (const Slot& slot : dispatcher_->slots()) joined += static_cast<std::size_t>(std::abs(slot.instance));
  return joined;
}

void Service::check_await(bool time_is_up) {
  if (!await_) return;
  std::size_t usual = has_slots(setup_.policy) ? setup_.slots() : setup_.local_daemons();
  std::size_t wanted = await_->wanted != 0 ? await_->wanted : usual;
  std::size_t come = come_of(*await_);
  std::uint64_t request = await_->request;
  if (!failed_start_ && come < wanted && !time_is_up) {
    // As long as they keep coming there is nothing to say.
    if (come > await_->come) start_await_timer();
    await_->come = std::max(await_->come, come);
    return;
  }
  await_.reset();
  awaited_ = true;
  if (failed_start_) return reply_error(request, Code::reset, *std::exchange(failed_start_, std::nullopt));
  Frame answer(Type::reply);
  answer.task = request;
  answer.payload = make_payload(std::to_string(come));
  if (time_is_up) answer.with(Key::code, static_cast<std::uint64_t>(Code::timed_out));
  session_->send(std::move(answer));
}

void Service::reply(std::uint64_t request, std::string_view payload) {
  Frame frame(Type::reply);
  frame.task = request;
  frame.payload = make_payload(payload);
  session_->send(std::move(frame));
}

void Service::reply_error(std::uint64_t request, Code code, std::string_view message) {
  Frame frame(Type::reply);
  frame.task = request;
  frame.with(Key::code, static_cast<std::uint64_t>(code)).with(Key::message, message);
  session_->send(std::move(frame));
}

}  // namespace tenkai
