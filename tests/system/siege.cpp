#include "tests/system/siege.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/url.h"
#include "tests/catch.h"
#include "wire/base64url.h"
#include "wire/credential.h"

namespace tenkai::test {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_sanitized = true;  // sanitizers have memory of their own
#else
constexpr bool is_sanitized = false;
#endif

constexpr std::size_t least_load = 100;
// Beyond that the load is light: an attack that takes long needs no busy machine.
constexpr std::chrono::milliseconds breath{2};
constexpr long most_growth = 16 * 1024;  // KiB

// What a process takes of the machine.
struct Footprint {
  long peak = 0;      // KiB, of address space
  long resident = 0;  // KiB, at its peak
  std::size_t descriptors = 0;
};

std::size_t descriptors_of(pid_t pid) {
  std::error_code failed;
  std::filesystem::directory_iterator all("/proc/" + std::to_string(pid) + "/fd", failed);
  return failed ? 0 : static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

Footprint footprint_of(pid_t pid) {
  Footprint found;
  found.descriptors = descriptors_of(pid);
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmPeak:", 0) == 0) found.peak = std::atol(line.c_str() + 7);
    if (line.rfind("VmHWM:", 0) == 0) found.resident = std::atol(line.c_str() + 6);
  }
  return found;
}

std::string hexadecimal(std::string_view bytes) {
  std::string text;
  for (char byte : bytes) {
    for (int part : {byte >> 4 & 15, byte & 15}) text += "0123456789abcdef"[part];
  }
  return text;
}

// The dispatcher of peer.h says what it has to say where this program does, too.
std::unique_ptr<TestDispatcher> started(const Log& log,
                                        const std::vector<std::pair<std::string, std::string>>& environment) {
  Descriptor own(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
  ::dup2(log.descriptor(), STDERR_FILENO);
  ::setenv("TENKAI_LOG", "trace", 1);
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  auto dispatcher = std::make_unique<TestDispatcher>();
  for (const auto& [name, value] : environment) ::unsetenv(name.c_str());
  ::unsetenv("TENKAI_LOG");
  ::dup2(own.get(), STDERR_FILENO);
  return dispatcher;
}

// A thread that is told to end, and waited for, even when a test is given up.
struct Joined {
  std::atomic<bool>& enough;
  std::thread thread;
  ~Joined() {
    enough = true;
    thread.join();
  }
};

std::string payload_for(std::uint64_t task) { return "expression " + std::to_string(task); }
std::string value_of(std::string_view payload) { return "value of " + std::string(payload); }

}  // namespace

// --- small things ---

Log::Log() : file_(::memfd_create("log", MFD_CLOEXEC)) { ::fcntl(file_.get(), F_SETFL, O_APPEND); }

std::string Log::text() const {
  std::string text(static_cast<std::size_t>(::lseek(file_.get(), 0, SEEK_END)), '\0');
  ssize_t size = ::pread(file_.get(), text.data(), text.size(), 0);
  text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return text;
}

std::size_t Log::count(std::string_view part) const {
  std::string all = text();
  std::size_t found = 0;
  for (std::size_t at = all.find(part); at != all.npos; at = all.find(part, at + part.size())) ++found;
  return found;
}

bool eventually(const std::function<bool()>& question, std::chrono::milliseconds limit) {
  auto until = std::chrono::steady_clock::now() + limit;
  while (!question()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

std::string thrown(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing";
}

bool says(const std::string& text, std::string_view part) {
  if (text.find(part) != text.npos) return true;
  UNSCOPED_INFO("\"" << text << "\" does not say \"" << part << "\"");
  return false;
}

std::string text_until_end(const TestPeer& peer, std::chrono::milliseconds limit) {
  auto until = std::chrono::steady_clock::now() + limit;
  std::string all;
  while (true) {
    auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd waiting{peer.descriptor(), POLLIN, 0};
    if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) {
      throw std::runtime_error("the connection was not closed in time");
    }
    std::array<char, 65536> bytes{};
    ssize_t size = ::recv(peer.descriptor(), bytes.data(), bytes.size(), 0);
    if (size <= 0) return all;
    all.append(bytes.data(), static_cast<std::size_t>(size));
  }
}

std::size_t bytes_until_end(const TestPeer& peer, std::chrono::milliseconds limit) {
  return text_until_end(peer, limit).size();
}

// --- the honest agent ---

RealAgent::RealAgent(const std::string& url, const std::string& credential, std::vector<std::string> more,
                     std::vector<std::pair<std::string, std::string>> environment)
    : r(Descriptor()) {
  Spawn rest;
  rest.argv = {"sleep", "300"};
  r_pid = *spawn(rest);
  auto [ours, theirs] = std::move(*make_socketpair());
  auto [line, written] = std::move(*make_pipe());
  if (::write(written.get(), credential.data(), credential.size()) < 0) throw std::runtime_error("pipe");
  written = Descriptor();
  Spawn what;
  what.argv = {std::string(TENKAI_TEST_BIN) + "/tenkai",
               "agent",
               "--url",
               url,
               "--adopt-pid",
               std::to_string(r_pid),
               "--adopt-fd",
               "3"};
  what.argv.insert(what.argv.end(), more.begin(), more.end());
  what.descriptors = {{theirs.get(), 3}};
  if (!credential.empty()) {
    what.argv.insert(what.argv.end(), {"--credential", "fd:4"});
    what.descriptors.emplace_back(line.get(), 4);
  }
  what.environment = std::move(environment);
  what.environment.emplace_back("TENKAI_LOG", "trace");
  what.errors_to = log.descriptor();
  pid = *spawn(what);
  r = TestPeer(std::move(ours));
}

RealAgent::~RealAgent() {
  r.close();
  for (pid_t each : {pid, r_pid}) {
    if (each < 0) continue;
    ::kill(each, SIGKILL);
    ::waitpid(each, nullptr, 0);
  }
}

void RealAgent::say_hello() {
  Frame frame = hello(Role::daemon, "");
  // An agent that has given up already has said why, and hears nothing any more.
  (void)thrown([&] { r.send(std::move(frame.with(Key::instance, "an R"))); });
}

void RealAgent::greet() {
  say_hello();
  std::optional<Frame> answer = r.receive();
  if (!answer) throw std::runtime_error("the agent has ended");
  if (answer->type != Type::welcome) throw std::runtime_error(answer->text(Key::message));
}

Frame RealAgent::task() {
  std::optional<Frame> frame = r.receive(Type::task);
  if (!frame) throw std::runtime_error("the agent has hung up");
  return *frame;
}

void RealAgent::finish(const Frame& task, std::string_view payload) {
  Frame frame(Type::finished);
  frame.session = task.session;
  frame.task = task.task;
  frame.attempt = task.attempt;
  frame.payload = make_payload(payload);
  r.send(std::move(frame));
}

// --- the siege ---

Siege::Siege(const std::vector<std::string>& doors, const std::string& lines,
             std::vector<std::pair<std::string, std::string>> environment)
    : dispatcher(started(log, environment)) {
  std::string setup = "policy=queue\ndaemons=" + std::to_string(doors.size()) + "\n" + lines;
  for (const std::string& door : doors) setup += "url=" + door + "\n";
  urls = dispatcher->set_up(setup);
  honest = std::make_unique<RealAgent>(urls[0], credential(1), std::vector<std::string>(), environment);
  honest->greet();
  one_round_trip();
}

Siege::~Siege() = default;

std::string Siege::credential(std::uint64_t slot) {
  std::string line = dispatcher->credential(slot);
  if (!line.empty()) remember(line);  // there is none for a local door
  return line;
}

std::string Siege::job_credential(const std::string& slots, std::uint32_t ranks, std::uint32_t uses) {
  Frame frame(Type::request);
  frame.task = ++last_task_;
  frame.payload =
      make_payload("slots=" + slots + "\nranks=" + std::to_string(ranks) + "\nuses=" + std::to_string(uses));
  dispatcher->session.send(std::move(frame.with(Key::name, "credential")));
  std::optional<Frame> answer = dispatcher->session.receive(Type::reply);
  REQUIRE(answer);
  std::string line(view_of(answer->payload));
  remember(line);
  return line;
}

void Siege::remember(const std::string& line) {
  Result<Credential> credential = parse_credential(line);
  REQUIRE(credential);
  std::string token(reinterpret_cast<const char*>(credential->token.data()), Secret::size());
  std::string text;
  encode_base64url(token, text);
  secrets_.insert({line, token, hexadecimal(token), text});
}

std::uint16_t Siege::port(std::uint64_t slot) const { return parse_url(url(slot))->port; }

void Siege::let_in(std::uint64_t slot) {
  RealAgent newcomer(url(slot), credential(slot));
  newcomer.greet();
}

void Siege::one_round_trip() {
  std::uint64_t number = ++last_task_;
  dispatcher->submit(number, payload_for(number));
  Frame task = honest->task();
  honest->finish(task, value_of(view_of(task.payload)));
  Frame answer = dispatcher->resolved();
  bool right = answer.task == number && view_of(answer.payload) == value_of(payload_for(number));
  if (!right) throw std::runtime_error("task " + std::to_string(number) + " has come to a wrong value");
}

void Siege::work() {
  try {
    while (!enough_ || done_ < least_load) {
      one_round_trip();
      if (++done_ > least_load) std::this_thread::sleep_for(breath);
    }
  } catch (const std::exception& error) {
    trouble_ = error.what();
  }
}

void Siege::while_it_works(const std::function<void()>& attack) {
  Footprint before = footprint_of(dispatcher->pid);
  enough_ = false;
  done_ = 0;
  std::string broken_off;
  {
    Joined load{enough_, std::thread([this] { work(); })};
    broken_off = thrown(attack);
  }

  CHECK(broken_off == "nothing");
  CHECK(trouble_ == "");
  CHECK(done_ >= least_load);
  CHECK(::kill(dispatcher->pid, 0) == 0);
  CHECK(eventually([&] { return descriptors_of(dispatcher->pid) <= before.descriptors; }));
  Footprint after = footprint_of(dispatcher->pid);
  if (!is_sanitized) {
    CHECK(after.peak - before.peak < most_growth);
    CHECK(after.resident - before.resident < most_growth);
  }
  check_log();
}

void Siege::check_log() {
  for (const std::string& secret : secrets_) {
    CHECK(log.count(secret) == 0);
    CHECK(honest->log.count(secret) == 0);
  }
}

}  // namespace tenkai::test
