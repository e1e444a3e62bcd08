// The floor: what four hops between three processes cost on this machine today.
//
//   bench_floor [ROUND TRIPS]
//   bench_floor copy        one copy of 80 MB into a fresh memory file
//
// 256 bytes go from A to B to C and back the same way, over unix sockets, as a
// task goes from a session to its dispatcher to a daemon. B waits for both of its
// sockets at once, as a dispatcher must; nobody looks at the bytes. What a program
// of this shape needs beyond this is its own doing.
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <string>
#include <vector>

#include "bench/numbers.h"

namespace tenkai::bench {
namespace {

constexpr std::size_t message_size = 256;
constexpr int warm_up = 2000;

using Message = std::array<char, message_size>;

// A recv() that sleeps is woken when the other side reads what was sent, for nothing; a poll() is not.
ssize_t wait_and_receive(int from, Message& into) {
  pollfd watched{from, POLLIN, 0};
  ::poll(&watched, 1, -1);
  return ::recv(from, into.data(), into.size(), 0);
}

// False at the end of the stream. So little is never cut in two.
bool pass(int from, int to) {
  Message message;
  if (::recv(from, message.data(), message.size(), 0) <= 0) return false;
  return ::send(to, message.data(), message.size(), MSG_NOSIGNAL) > 0;
}

void middle(int left, int right) {
  int poll = ::epoll_create1(EPOLL_CLOEXEC);
  for (int descriptor : {left, right}) {
    epoll_event watched{};
    watched.events = EPOLLIN;
    watched.data.fd = descriptor;
    ::epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &watched);
  }
  while (true) {
    std::array<epoll_event, 2> ready;
    int count = ::epoll_wait(poll, ready.data(), static_cast<int>(ready.size()), -1);
    for (int i = 0; i < count; ++i) {
      int from = ready[static_cast<std::size_t>(i)].data.fd;
      if (!pass(from, from == left ? right : left)) return;
    }
  }
}

void far_end(int descriptor) {
  Message message;
  while (wait_and_receive(descriptor, message) > 0 &&
         ::send(descriptor, message.data(), message.size(), MSG_NOSIGNAL) > 0) {}
}

std::array<int, 2> socketpair_or_fail() {
  std::array<int, 2> pair;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    fail(std::string("bench_floor: no socketpair: ") + std::strerror(errno));
  }
  return pair;
}

// A child that does `work` without the descriptors of the others.
template <class Work>
pid_t start(std::initializer_list<int> not_its_own, Work work) {
  pid_t child = ::fork();
  if (child < 0) fail(std::string("bench_floor: cannot fork: ") + std::strerror(errno));
  if (child > 0) return child;
  for (int descriptor : not_its_own) ::close(descriptor);
  work();
  ::_exit(0);
}

std::vector<double> round_trips(int descriptor, int count) {
  std::vector<double> times;
  times.reserve(static_cast<std::size_t>(count));
  Message message{};
  for (int i = -warm_up; i < count; ++i) {
    Clock::time_point sent = Clock::now();
    if (::send(descriptor, message.data(), message.size(), MSG_NOSIGNAL) < 0 ||
        wait_and_receive(descriptor, message) <= 0) {
      fail("bench_floor: the middle process has ended");
    }
    if (i >= 0) times.push_back(microseconds(Clock::now() - sent));
  }
  return times;
}

// What data costs that goes from one process to another at least.
double copy_ms() {
  const std::vector<char> numbers(80'000'000, 1);
  int file = ::memfd_create("bench", MFD_CLOEXEC);
  if (file < 0) fail(std::string("bench_floor: no memory file: ") + std::strerror(errno));
  Clock::time_point begun = Clock::now();
  for (std::size_t done = 0; done < numbers.size();) {
    ssize_t put = ::write(file, numbers.data() + done, numbers.size() - done);
    if (put <= 0) fail(std::string("bench_floor: cannot write: ") + std::strerror(errno));
    done += static_cast<std::size_t>(put);
  }
  double took = microseconds(Clock::now() - begun) / 1000;
  ::close(file);
  return took;
}

}  // namespace
}  // namespace tenkai::bench

int main(int argc, char** argv) {
  using namespace tenkai::bench;
  if (argc > 1 && std::string(argv[1]) == "copy") {
    std::vector<double> times;
    for (int i = 0; i < 5; ++i) times.push_back(copy_ms());
    print_json({{"copy_ms", quantile(times, 0.5)}});
    return 0;
  }
  int count = argc > 1 ? std::atoi(argv[1]) : 20000;
  if (count < 1) fail("usage: bench_floor [ROUND TRIPS], a number from 1");
  auto [a, b_left] = socketpair_or_fail();
  auto [b_right, c] = socketpair_or_fail();
  pid_t far = start({a, b_left, b_right}, [end = c] { far_end(end); });
  pid_t mid = start({a, c}, [left = b_left, right = b_right] { middle(left, right); });
  for (int descriptor : {b_left, b_right, c}) ::close(descriptor);

  std::vector<double> times = round_trips(a, count);
  ::close(a);
  ::waitpid(mid, nullptr, 0);
  ::waitpid(far, nullptr, 0);
  print_json({{"hops_median_us", quantile(times, 0.5)}, {"hops_p99_us", quantile(times, 0.99)}});
}
