// What one task costs the dispatcher, with few daemons and with many.
//
//   bench_swarm tasks TENKAI FEW MANY TASKS OUTSTANDING
//   bench_swarm queue TENKAI TASKS BYTES
//   bench_swarm idle TENKAI SECONDS
//
// A session and its daemons live in this one process, on one epoll, and do
// nothing but answer; the dispatcher is the real one. `tasks` keeps OUTSTANDING
// tasks on their way until all have come back, at a dispatcher with FEW and at
// one with MANY daemons, in turn and in small portions: what slows the machine
// down for a moment slows both. `queue` submits TASKS of BYTES, of which two daemons answer none
// until the dispatcher has them all: what each takes of its memory, and of time after that. `idle`
// counts how often a dispatcher wakes up while its two daemons have nothing to do.
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "bench/dispatcher_process.h"
#include "process/descriptor_limit.h"

namespace tenkai::bench {
namespace {

// As large as a no-op of R is, there and back.
const std::string task_payload(120, 't');
const std::string value_payload(30, 'v');

class Swarm {
 public:
  Swarm(const std::string& program, std::size_t daemons)
      : dispatcher_(program, daemons, daemons > most_addresses) {
    poll_ = Descriptor(::epoll_create1(EPOLL_CLOEXEC));
    watch(dispatcher_.session().descriptor(), session_mark);
    for (std::size_t i = 0; i < daemons; ++i) {
      daemons_.push_back(dispatcher_.join(i));
      watch(daemons_.back().descriptor(), i);
    }
  }

  const DispatcherProcess& dispatcher() const { return dispatcher_; }

  void set_task_size(std::size_t bytes) { task_ = make_payload(std::string(bytes, 't')); }

  // Submits `tasks`, never more than `outstanding` at a time, and waits for all.
  void run(std::uint64_t tasks, std::uint64_t outstanding) {
    begin(tasks, outstanding);
    finish();
  }
  void begin(std::uint64_t tasks, std::uint64_t outstanding) {
    tasks_ = submitted_ + tasks;
    while (submitted_ < tasks_ && submitted_ < resolved_ + outstanding) submit();
  }
  void finish() {
    while (resolved_ < tasks_) turn();
  }

 private:
  static constexpr std::uint64_t session_mark = ~std::uint64_t{0};
  // An address of its own takes each daemon a second descriptor.
  static constexpr std::size_t most_addresses = 4000;

  void watch(int descriptor, std::uint64_t mark) {
    epoll_event watched{};
    watched.events = EPOLLIN;
    watched.data.u64 = mark;
    if (::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, descriptor, &watched) != 0)
      fail("epoll does not take a socket");
  }

  void turn() {
    std::array<epoll_event, 256> ready;
    int count = ::epoll_wait(poll_.get(), ready.data(), static_cast<int>(ready.size()), 30000);
    if (count == 0) fail("nothing came for 30 s: " + std::to_string(resolved_) + " tasks were resolved");
    for (std::size_t i = 0; i < static_cast<std::size_t>(std::max(count, 0)); ++i) {
      if (ready[i].data.u64 == session_mark) {
        dispatcher_.session().receive([this](Frame&& frame) { on_session_frame(frame); });
      } else {
        Stream& daemon = daemons_[ready[i].data.u64];
        daemon.receive([&daemon](Frame&& frame) { answer(daemon, frame); });
      }
    }
  }

  void submit() {
    Frame frame(Type::submit);
    frame.task = ++submitted_;
    frame.payload = task_;
    dispatcher_.session().send(frame);
  }

  void on_session_frame(const Frame& frame) {
    if (frame.type != Type::resolved) return;
    resolved_ += 1;
    if (submitted_ < tasks_) submit();
  }

  static void answer(Stream& daemon, const Frame& task) {
    if (task.type != Type::task) return;
    static const Payload value = make_payload(value_payload);
    Frame frame(Type::finished);
    frame.session = task.session;
    frame.task = task.task;
    frame.attempt = task.attempt;
    frame.payload = value;
    daemon.send(frame);
  }

  DispatcherProcess dispatcher_;
  Descriptor poll_;
  std::vector<Stream> daemons_;
  Payload task_ = make_payload(task_payload);
  std::uint64_t tasks_ = 0;
  std::uint64_t submitted_ = 0;
  std::uint64_t resolved_ = 0;
};

// What portions of the work have cost one swarm.
struct Account {
  explicit Account(Swarm& of) : swarm(of) {}

  void run(std::uint64_t tasks, std::uint64_t outstanding) {
    double cpu = swarm.dispatcher().cpu_us();
    Clock::time_point started = Clock::now();
    swarm.run(tasks, outstanding);
    elapsed_us += microseconds(Clock::now() - started);
    cpu_us += swarm.dispatcher().cpu_us() - cpu;
    count += static_cast<double>(tasks);
  }

  Swarm& swarm;
  double cpu_us = 0;
  double elapsed_us = 0;
  double count = 0;
};

Numbers measure_tasks(const std::string& program, std::size_t few, std::size_t many, std::uint64_t tasks,
                      std::uint64_t outstanding) {
  constexpr std::uint64_t portions = 20;
  std::uint64_t portion = std::max<std::uint64_t>(tasks / portions, 1);
  Swarm small(program, few);
  Swarm large(program, many);
  small.run(portion, outstanding);
  large.run(portion, outstanding);

  Account of_small(small);
  Account of_large(large);
  for (std::uint64_t i = 0; i < portions; ++i) {
    of_small.run(portion, outstanding);
    of_large.run(portion, outstanding);
  }
  return {{"few_cpu_per_task_us", of_small.cpu_us / of_small.count},
          {"few_tasks_per_second", 1e6 * of_small.count / of_small.elapsed_us},
          {"many_cpu_per_task_us", of_large.cpu_us / of_large.count},
          {"many_tasks_per_second", 1e6 * of_large.count / of_large.elapsed_us}};
}

// The dispatcher answers requests in their order, so it has all tasks when it has answered one.
Numbers measure_queue(const std::string& program, std::uint64_t tasks, std::size_t bytes) {
  Swarm swarm(program, 2);
  swarm.set_task_size(bytes);
  double before = swarm.dispatcher().resident_bytes();
  swarm.begin(tasks, tasks);
  // It has read them all when it sleeps.
  double switches = 0;
  while (switches != swarm.dispatcher().voluntary_switches()) {
    switches = swarm.dispatcher().voluntary_switches();
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
  double bytes_each = (swarm.dispatcher().resident_bytes() - before) / static_cast<double>(tasks);
  Clock::time_point started = Clock::now();
  swarm.finish();
  return {{"queued_tasks", static_cast<double>(tasks)},
          {"task_bytes", static_cast<double>(bytes)},
          {"queued_bytes_each", bytes_each},
          {"hand_out_us_each", microseconds(Clock::now() - started) / static_cast<double>(tasks)}};
}

Numbers measure_idle(const std::string& program, int seconds) {
  Swarm swarm(program, 2);
  swarm.run(100, 10);
  // What the tasks left to be done is done by now.
  std::this_thread::sleep_for(std::chrono::seconds(1));

  double before = swarm.dispatcher().voluntary_switches();
  double cpu = swarm.dispatcher().cpu_us();
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  return {{"idle_wake_ups", swarm.dispatcher().voluntary_switches() - before},
          {"idle_cpu_us", swarm.dispatcher().cpu_us() - cpu},
          {"idle_seconds", static_cast<double>(seconds)}};
}

std::uint64_t number_from(const char* text) {
  std::uint64_t number = std::strtoull(text, nullptr, 10);
  if (number == 0) fail(std::string("bench_swarm: not a number from 1: ") + text);
  return number;
}

}  // namespace
}  // namespace tenkai::bench

int main(int argc, char** argv) {
  using namespace tenkai::bench;
  std::string what = argc > 1 ? argv[1] : "";
  tenkai::raise_descriptor_limit();
  if (what == "tasks" && argc == 7) {
    print_json(measure_tasks(argv[2], number_from(argv[3]), number_from(argv[4]), number_from(argv[5]),
                             number_from(argv[6])));
  } else if (what == "queue" && argc == 5) {
    print_json(measure_queue(argv[2], number_from(argv[3]), number_from(argv[4])));
  } else if (what == "idle" && argc == 4) {
    print_json(measure_idle(argv[2], static_cast<int>(number_from(argv[3]))));
  } else {
    fail(
        "usage: bench_swarm tasks TENKAI FEW MANY TASKS OUTSTANDING\n       bench_swarm queue TENKAI TASKS "
        "BYTES\n"
        "       bench_swarm idle TENKAI SECONDS");
  }
}
