#include "link.h"

#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "base/shared_blocks.h"
#include "crossing.h"
#include "forked.h"
#include "spawn.h"

namespace tenkai {

namespace {

using Clock = std::chrono::steady_clock;

// To fall asleep and be woken costs as much as a short task takes. Where the last
// answer came within this time, the next one is looked for that long, giving the
// processor away to whoever wants it, before the kernel is asked to wake us.
constexpr std::chrono::microseconds short_wait{200};
constexpr int slice = 100;  // milliseconds between two looks for Ctrl-C
constexpr std::size_t max_notes = 100;

}  // namespace

Link::Link(int fd, pid_t dispatcher, int words)
    : stream_(fd), generation_(fork_generation()), dispatcher_(dispatcher), words_(words) {
  stream_.set_patience(slice);
}

Link::~Link() {
  if (!is_foreign()) close(ByeKind::end);
  if (words_ >= 0) ::close(words_);
  if (bell_ >= 0) ::close(bell_);
}

bool Link::is_foreign() const { return fork_generation() != generation_; }

bool Link::is_usable() const { return stream_.is_open() && !is_foreign(); }

std::optional<Frame> Link::await_control(std::chrono::milliseconds limit) {
  auto until = Clock::now() + limit;
  while (!control_ && is_usable() && Clock::now() < until) {
    wait_a_little();
    check_interrupts();
  }
  return std::exchange(control_, std::nullopt);
}

void Link::welcome(std::uint64_t memory_limit) {
  memory_limit_ = memory_limit;
  stream_.set_limit(max_payload);
}

void Link::send(const Frame& frame) {
  if (!is_usable()) return;
  stream_.send(frame);
  push_out();
}

// Where nothing is on its way nothing would make room. What maps share does not go before
// their elements have come.
bool Link::has_room_for(std::size_t bytes) const {
  return in_flight_ == 0 || in_flight_ + shared_ + kept_ + bytes <= memory_limit_ || !is_usable();
}

void Link::check_kept(std::uint64_t size) const {
  if (is_usable() && size > memory_limit_ - std::min(memory_limit_, kept_)) {
    throw std::runtime_error("everywhere() was not run: its " + std::to_string(size) + " bytes and the " +
                             std::to_string(kept_) +
                             " bytes of earlier ones, kept for daemons that join later, exceed the memory "
                             "limit of " +
                             std::to_string(memory_limit_) +
                             " bytes; raise it with daemons(memory =), or load large objects from a file");
  }
}

void Link::everywhere(const Frame& frame, Buffer& payload) {
  if (!is_usable()) return;
  kept_ += payload.size();
  for (std::uint64_t i = 0; i < frame.number(Key::count); ++i) tasks_[frame.task + i];
  send(frame, payload);
}

void Link::submit(const Frame& frame, Buffer& payload, FiledVectors& filed) {
  if (!is_usable()) return;
  Task& task = tasks_[frame.task];
  std::size_t size = payload.size();
  for (const auto& file : shared_files(payload.shared())) hold(task, file);
  try {
    std::shared_ptr<const Bytes> file = stream_.send(frame, payload);
    if (file && filed.add(file, payload.blocks())) {
      hold(task, std::move(file));
    } else {
      task.bytes = size;
      in_flight_ += size;
    }
    push_out();
  } catch (...) {
    // The rest of the frame goes out before anything else does; then this.
    cancel(frame.task);
    throw;
  }
}

void Link::send(const Frame& frame, Buffer& payload) {
  if (!is_usable()) return;
  stream_.send(frame, payload);
  push_out();
}

std::size_t Link::memory_for(Buffer& payload) const {
  std::size_t size = payload.size();
  for (const auto& file : shared_files(payload.shared()))
    size += users_.count(file.get()) == 0 ? file->size() : 0;
  return size;
}

std::size_t Link::memory_for_map(Buffer& shared) {
  std::size_t size = shared.size();
  for (const auto& file : shared_files(shared.shared())) size += file->size();
  return size;
}

// What the dispatcher keeps while one of its tasks uses it counts once.
void Link::hold(Task& task, std::shared_ptr<const Bytes> file) {
  if (users_[file.get()]++ == 0) in_flight_ += file->size();
  task.files.push_back(std::move(file));
}

void Link::let_go(Task& task) {
  in_flight_ -= std::exchange(task.bytes, 0);
  for (const std::shared_ptr<const Bytes>& file : task.files) {
    if (--users_[file.get()] > 0) continue;
    users_.erase(file.get());
    in_flight_ -= file->size();
  }
  task.files.clear();
}

void Link::let_all_go_at_end() {
  if (users_.empty()) return;
  for (auto& [number, task] : tasks_) let_go(task);
}

// A dispatcher never waits for us before it reads on; but should both sockets
// be full, one of us has to go on reading, and that is us.
void Link::push_out() {
  while (stream_.has_unsent() && is_usable()) {
    if (stream_.flush(slice)) take_in();
    if (stream_.has_unsent()) check_interrupts();
  }
}

const Answer* Link::answer_to(std::uint64_t task) {
  auto found = tasks_.find(task);
  if (found != tasks_.end() && found->second.answer) return &*found->second.answer;
  if (const MapAnswers* map = map_with(task)) {
    of_element_ = map->answer_to(task);
    if (of_element_) return &*of_element_;
  }
  return stream_.is_open() && !is_foreign() ? nullptr : &last_word();
}

// What everything resolves to after the end.
const Answer& Link::last_word() {
  if (is_foreign()) {
    static const Answer closed{
        nullptr, 7,
        "this process was forked from the session, and only the session itself gets the values of its "
        "mirais; a mirai() that is called here runs in a new R process, or on daemons() set here",
        0, 0};
    return closed;
  }
  if (!last_word_) {
    last_word_ = closed_on_purpose_ ? Answer{nullptr, 7, {}} : Answer{nullptr, 19, obituary()};
  }
  return *last_word_;
}

bool Link::is_pending(std::uint64_t task) const {
  if (!is_usable()) return false;
  auto found = tasks_.find(task);
  if (found != tasks_.end()) return found->second.wanted && !found->second.answer;
  const MapAnswers* map = map_with(task);
  return map != nullptr && !map->is_answered(task);
}

// What R does at an interrupt may look at the mirai: then nobody waits for it any more.
bool Link::wait_for(std::uint64_t task, std::optional<std::chrono::milliseconds> limit) {
  std::optional<Clock::time_point> until;
  if (limit) until = Clock::now() + *limit;
  while (is_pending(task)) {
    if (has_notes() || (until && Clock::now() >= *until)) return false;
    wait_a_little();
    if (is_pending(task)) check_interrupts();
  }
  return true;
}

void Link::watch(std::uint64_t task) {
  if (bell_ < 0) bell_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (bell_ < 0) throw std::runtime_error("a mirai cannot be a promise: no descriptor is left for it");
  watched_.insert(task);
  if (answer_to(task) != nullptr) ripen(task);
}

std::vector<std::uint64_t> Link::take_ripe() {
  take_in();
  ripen_all_at_end();
  eventfd_t rung = 0;
  if (!ripe_.empty()) eventfd_read(bell_, &rung);
  return std::exchange(ripe_, {});
}

void Link::ripen(std::uint64_t task) {
  if (watched_.erase(task) == 0) return;
  if (ripe_.empty()) eventfd_write(bell_, 1);
  ripe_.push_back(task);
}

void Link::ripen_all_at_end() {
  if (is_usable()) return;
  while (!watched_.empty()) ripen(*watched_.begin());
  end_sayings();
  let_all_go_at_end();
}

// For all that have no answer, and get none.
void Link::end_sayings() {
  if (std::exchange(all_is_said_, true)) return;
  for (const auto& [number, task] : tasks_) {
    if (task.is_heard && !task.answer) sayings_.end(number);
  }
  for (const auto& [first, map] : maps_) {
    if (map.left() > 0) sayings_.end(first);
  }
}

void Link::forget(std::uint64_t task) {
  ripen(task);
  auto found = tasks_.find(task);
  if (found == tasks_.end()) return leave_map(task);
  news_ += 1;
  if (found->second.answer) {
    tasks_.erase(found);
  } else {
    found->second.wanted = false;
  }
}

void Link::cancel(std::uint64_t task) {
  if (map_with(task) != nullptr) return cancel_elements(task, 1);
  forget(task);
  if (!is_usable()) return;
  Frame frame(Type::cancel);
  frame.task = task;
  stream_.send(frame);  // what does not fit waits for the next occasion
}

std::optional<RandomStream> Link::take_streams(std::uint64_t count) {
  std::optional<RandomStream> first = stream_of_tasks_;
  if (first) stream_of_tasks_ = count == 1 ? next_stream(*first) : stream_after(*first, count);
  return first;
}

Answer Link::ask(Frame request, std::chrono::milliseconds limit) {
  if (!is_usable()) return last_word();
  auto until = Clock::now() + limit;
  std::uint64_t id = next_id();
  request.task = id;
  requests_[id] = std::nullopt;
  try {
    send(request);
    while (!requests_[id] && is_usable() && Clock::now() < until) {
      wait_a_little();
      if (!requests_[id]) check_interrupts();
    }
  } catch (...) {
    requests_.erase(id);
    throw;
  }
  std::optional<Answer> reply = std::move(requests_[id]);
  requests_.erase(id);
  if (reply) return std::move(*reply);
  if (!is_usable()) return last_word();
  return {nullptr, 5, "the dispatcher did not answer in " + std::to_string(limit.count() / 1000) + " s"};
}

void Link::take_in() {
  if (!is_usable()) return;
  stream_.receive(Stream::Wait::no, [this](Frame&& frame) { on_frame(std::move(frame)); });
  ripen_all_at_end();
}

void Link::wait_a_little() {
  if (!is_usable()) return;
  if (stream_.has_unsent()) {
    if (stream_.flush(slice)) take_in();
    return;
  }
  auto take = [this](Frame&& frame) { on_frame(std::move(frame)); };
  FreeDescriptor through_all_tries;
  auto begun = Clock::now();
  bool came = false;
  while (last_wait_ < short_wait && !came && is_usable() && Clock::now() - begun < short_wait) {
    came = stream_.receive(Stream::Wait::no, take);
    if (!came) sched_yield();
  }
  if (!came) stream_.receive(Stream::Wait::yes, take);
  last_wait_ = Clock::now() - begun;
  ripen_all_at_end();
}

void Link::wait_a_little(const std::vector<Link*>& links) {
  if (links.size() == 1) return links.front()->wait_a_little();
  std::vector<pollfd> watched;
  for (Link* link : links) {
    bool writes = link->stream_.has_unsent();
    watched.push_back({link->fd(), static_cast<short>(writes ? POLLIN | POLLOUT : POLLIN), 0});
  }
  if (poll(watched.data(), watched.size(), slice) <= 0) return;
  for (std::size_t i = 0; i < links.size(); ++i) {
    if (watched[i].revents & POLLOUT) links[i]->stream_.flush(0);
    if (watched[i].revents & ~POLLOUT) links[i]->take_in();
  }
}

// The number of the process tells its dispatcher from all others.
std::string Link::name_of(std::uint64_t task) const {
  return std::to_string(dispatcher_) + '-' + std::to_string(task);
}

std::string Link::obituary() {
  std::string what = "the dispatcher (process " + std::to_string(dispatcher_) + ") ended unexpectedly";
  if (!stream_.trouble().empty()) what = "the link to the dispatcher broke: " + stream_.trouble();
  std::string how = how_it_ended(dispatcher_);
  buried_ = !how.empty();
  if (!how.empty()) what += ": it " + how;
  std::string words = last_words(words_);
  return words.empty() ? what : what + ": " + words;
}

void Link::close(ByeKind kind) {
  if (stream_.fd() < 0) return;
  if (is_foreign()) {
    stream_.close();
    return;
  }
  if (stream_.is_open()) {
    closed_on_purpose_ = true;
    take_in();
    stream_.send(Frame(Type::bye).with_kind(kind));
    // The dispatcher hangs up when it listens nowhere any more: only then can the
    // next one have the same port. That is worth a second, not more.
    auto until = Clock::now() + std::chrono::seconds(1);
    while (is_usable() && Clock::now() < until) wait_a_little();
  }
  stream_.close();
  ripen_all_at_end();
  if (!buried_) reap_later(dispatcher_);
}

void Link::on_frame(Frame&& frame) {
  switch (frame.type) {
    case Type::resolved: on_resolved(std::move(frame)); break;
    case Type::reply: {
      auto found = requests_.find(frame.task);
      if (found == requests_.end()) break;
      found->second = Answer{frame.payload, frame.number(Key::code), frame.text(Key::message)};
      break;
    }
    case Type::note:
      if (notes_.size() >= max_notes) break;
      notes_.push_back({frame.text(Key::message), std::string(view_of(frame.payload))});
      break;
    case Type::said: {
      const MapAnswers* map = any_map_with(frame.task);
      sayings_.add(frame, map != nullptr ? map->first() : frame.task);
      break;
    }
    case Type::welcome:
    case Type::ready:
    case Type::refused: control_ = std::move(frame); break;
    case Type::hello:
    case Type::setup:
    case Type::submit:
    case Type::everywhere:
    case Type::cancel:
    case Type::request:
    case Type::join:
    case Type::left:
    case Type::task:
    case Type::finished:
    case Type::ack:
    case Type::ping:
    case Type::pong:
    case Type::bye:
    case Type::segment:
    case Type::challenge:
    case Type::map:
    case Type::block:
    case Type::elements:
    case Type::proof: break;  // not meant for a session
  }
}

void Link::on_resolved(Frame&& frame) {
  if (frame.find(Key::count) != nullptr) return on_elements_resolved(std::move(frame));
  auto found = tasks_.find(frame.task);
  if (found == tasks_.end() || found->second.answer) return;
  Task& task = found->second;
  news_ += 1;
  let_go(task);
  if (task.is_heard) sayings_.end(frame.task);
  if (!task.wanted) {
    tasks_.erase(found);
    return;
  }
  task.answer = Answer{std::move(frame.payload), frame.number(Key::code), {}, usage_in(frame)};
  if (task.answer->code != 0) task.answer->message = frame.text(Key::message);
  ripen(frame.task);
}

}  // namespace tenkai
