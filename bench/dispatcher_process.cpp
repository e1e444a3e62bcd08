#include "bench/dispatcher_process.h"

#include <signal.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "base/url.h"

namespace tenkai::bench {
namespace {

std::pair<Descriptor, Descriptor> socketpair_or_fail() {
  auto pair = make_socketpair();
  if (!pair) fail(pair.error().message);
  return std::move(*pair);
}

Descriptor connect_to(const std::string& text) {
  Result<Url> url = parse_url(text);
  if (!url || url->scheme != Url::Scheme::abstract) {
    fail("the dispatcher listens at " + text + ", not at abstract://");
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, url->path.data(), url->path.size());
  auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + url->path.size());
  Descriptor descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(descriptor.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) {
    fail("cannot connect to " + text + ": " + std::strerror(errno));
  }
  return descriptor;
}

void expect(const Frame& frame, Type type) {
  if (frame.type == type) return;
  fail("the dispatcher refused: " + frame.text(Key::message));
}

}  // namespace

DispatcherProcess::DispatcherProcess(const std::string& program, std::size_t slots, bool open)
    : session_(Descriptor()) {
  auto [ours, theirs] = socketpair_or_fail();
  Spawn what;
  what.argv = {program, "dispatcher"};
  what.descriptors = {{theirs.get(), 3}};
  what.inherit_output = true;
  Result<pid_t> started = spawn(what);
  if (!started) fail(started.error().message);
  pid_ = *started;
  session_ = Stream(std::move(ours));
  session_.send(hello(Role::session, ""));
  expect(session_.receive_one(), Type::welcome);
  Frame setup(Type::setup);
  std::string policy = open ? "open" : "queue";
  setup.payload = make_payload("policy=" + policy + "\ndaemons=" + std::to_string(slots) + "\n");
  session_.send(setup);
  Frame ready = session_.receive_one();
  expect(ready, Type::ready);
  for (std::string_view line : split(view_of(ready.payload), '\n')) {
    if (line.starts_with("url=")) urls_.emplace_back(line.substr(4));
  }
}

DispatcherProcess::~DispatcherProcess() {
  session_ = Stream(Descriptor());
  ::waitpid(pid_, nullptr, 0);
}

Stream DispatcherProcess::join(std::size_t slot) const {
  const std::string& url = urls_.size() == 1 ? urls_.front() : urls_.at(slot);
  Stream daemon(connect_to(url));
  daemon.send(hello(Role::daemon, url));
  expect(daemon.receive_one(), Type::welcome);
  return daemon;
}

double DispatcherProcess::cpu_us() const {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &time) != 0) {
    fail("the dispatcher has no processor clock; has it ended?");
  }
  return 1e6 * static_cast<double>(time.tv_sec) + 1e-3 * static_cast<double>(time.tv_nsec);
}

double DispatcherProcess::resident_bytes() const {
  std::ifstream statm("/proc/" + std::to_string(pid_) + "/statm");
  double all = 0, resident = 0, shared = 0;
  if (!(statm >> all >> resident >> shared)) fail("the dispatcher has no memory; has it ended?");
  return (resident - shared) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double DispatcherProcess::voluntary_switches() const {
  double switches = 0;
  std::string name;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(pid_) + "/task")) {
    std::ifstream status(thread.path() / "status");
    while (status >> name) {
      double count = 0;
      if (name == "voluntary_ctxt_switches:" && status >> count) switches += count;
    }
  }
  return switches;
}

}  // namespace tenkai::bench
