// Real children: started, signalled, waited for.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "process/children.h"
#include "process/descriptor_limit.h"
#include "process/find_process.h"
#include "process/memory_group.h"
#include "process/r_processes.h"
#include "process/spawn.h"
#include "tests/catch.h"

using namespace tenkai;
using namespace std::chrono_literals;

namespace {

// What a program writes to descriptor 5, until it closes it.
std::string output_of(std::vector<std::string> argv,
                      std::vector<std::pair<std::string, std::string>> environment = {}) {
  auto pipe = std::move(*make_pipe());
  Spawn what;
  what.argv = std::move(argv);
  what.environment = std::move(environment);
  what.descriptors = {{pipe.second.get(), 5}};
  Result<pid_t> pid = spawn(what);
  REQUIRE(pid);
  pipe.second = Descriptor();
  std::string text;
  char buffer[4096];
  for (ssize_t size = 0; (size = ::read(pipe.first.get(), buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(size));
  }
  return text;
}

// Runs `sh -c text` as if it were R, and tells how it ended.
REnd run_to_the_end(const std::string& text, std::function<void(RProcesses&, pid_t)> meanwhile = {}) {
  asio::io_context io(1);
  RProcesses processes(io.get_executor());
  RStart start;
  start.rscript = TENKAI_TEST_DATA "/as_rscript.sh";
  start.call = text;
  REnd result;
  Result<pid_t> pid = processes.start(start, [&](pid_t, const REnd& end) {
    result = end;
    io.stop();
  });
  REQUIRE(pid);
  if (meanwhile) asio::post(io, [&] { meanwhile(processes, *pid); });
  io.run_for(20s);
  return result;
}

}  // namespace

TEST_CASE("a program that is not there is an error at once, with its name") {
  Spawn what;
  what.argv = {"/no/such/program"};

  Result<pid_t> pid = spawn(what);

  REQUIRE(!pid);
  CHECK(pid.error().message == "cannot start /no/such/program: No such file or directory");
}

TEST_CASE("a child has a session of its own, an empty input, and our descriptors only where named") {
  Descriptor secret(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  Descriptor far(::fcntl(secret.get(), F_DUPFD_CLOEXEC, 200));

  std::string seen =
      output_of({"/bin/sh", "-c", "(ps -o sid= -p $$ || echo $$; echo $$; cat; ls /proc/self/fd) >&5"});

  INFO(seen);
  std::string hidden = std::to_string(far.get());
  CHECK(seen.find("\n" + hidden + "\n") == std::string::npos);
}

TEST_CASE("a child gets our environment, with what was changed for it") {
  ::setenv("TENKAI_TEST_KEPT", "kept", 1);
  ::setenv("TENKAI_TEST_CHANGED", "before", 1);

  std::string seen = output_of({"/bin/sh", "-c", "echo $TENKAI_TEST_KEPT $TENKAI_TEST_CHANGED >&5"},
                               {{"TENKAI_TEST_CHANGED", "after"}});

  CHECK(seen == "kept after\n");
}

TEST_CASE("descriptors may be passed under each other's numbers") {
  auto pipe = std::move(*make_pipe());
  Spawn what;
  what.argv = {"/bin/sh", "-c", "echo a >&" + std::to_string(pipe.second.get())};
  what.descriptors = {{pipe.second.get(), pipe.second.get()}};
  REQUIRE(spawn(what));
  char buffer[8] = "";

  CHECK(::read(pipe.first.get(), buffer, sizeof buffer) == 2);
}

TEST_CASE("the end of a process is known: exit code, signal, last words") {
  SECTION("an exit code and what it said last") {
    REnd end = run_to_the_end("echo first >&2; echo 'there is no package' >&2; exit 3");
    CHECK(end.how.exit_code == 3);
    CHECK(!end.how.signal);
    CHECK(end.log_tail == "first\nthere is no package\n");
  }
  SECTION("a signal") {
    REnd end = run_to_the_end("kill -SEGV $$");
    CHECK(end.how.signal == SIGSEGV);
    CHECK(!end.how.exit_code);
    CHECK(!end.out_of_memory);
  }
  SECTION("a long log is cut at the front, at the start of a line") {
    REnd end = run_to_the_end("i=0; while [ $i -lt 2000 ]; do echo \"line $i\" >&2; i=$((i+1)); done");
    CHECK(end.log_tail.size() <= 4096);
    CHECK(end.log_tail.substr(0, 5) == "line ");
    CHECK(end.log_tail.substr(end.log_tail.size() - 10) == "line 1999\n");
  }
  SECTION("an interrupt reaches what the process has started, too") {
    REnd end = run_to_the_end("sleep 100 & wait",
                              [](RProcesses& processes, pid_t pid) { processes.interrupt(pid); });
    CHECK(end.how.signal.value_or(end.how.exit_code.value_or(0)) != 0);
  }
  SECTION("kill() ends what does not obey") {
    REnd end = run_to_the_end("trap '' INT TERM; sleep 100",
                              [](RProcesses& processes, pid_t pid) { processes.kill(pid); });
    CHECK(end.how.signal == SIGKILL);
  }
}

TEST_CASE("what a process has left running ends with it, unless that ends as it should") {
  auto pipe = std::move(*make_pipe());
  auto run = [&pipe](const std::string& text) {
    asio::io_context io(1);
    RProcesses processes(io.get_executor());
    RStart start;
    start.rscript = TENKAI_TEST_DATA "/as_rscript.sh";
    start.call = text;
    start.stream = pipe.second.get();
    Result<pid_t> pid = processes.start(start, [&io](pid_t, const REnd&) { io.stop(); });
    REQUIRE(pid);
    io.run_for(20s);
    REQUIRE(processes.size() == 0);
    return *pid;
  };

  run("sleep 613 & kill -9 $$");
  run("sleep 613 & exit 3");
  pid_t group = run("sleep 613 >&- 2>&- 3>&- & exit 0");
  CHECK(::kill(-group, SIGKILL) == 0);

  // Nobody holds the other end any more.
  pipe.second = Descriptor();
  pollfd ended{pipe.first.get(), POLLIN, 0};
  CHECK(::poll(&ended, 1, 20'000) == 1);
  CHECK((ended.revents & POLLHUP) != 0);
}

TEST_CASE("a process that another has started is found by its arguments, and not its children") {
  const std::string command = "(echo >&5; sleep 611; :) & wait";
  const std::vector<std::string> argv{"sh", "-c", command, "find_process"};
  auto pipe = std::move(*make_pipe());
  Spawn what;
  what.argv = argv;
  what.descriptors = {{pipe.second.get(), 5}};
  Result<pid_t> pid = spawn(what);
  REQUIRE(pid);
  char line = 0;
  REQUIRE(::read(pipe.first.get(), &line, 1) == 1);

  CHECK(find_process(argv) == *pid);
  CHECK(is_process(*pid, argv));
  CHECK_FALSE(find_process({"sh", "-c", command}));
  CHECK_FALSE(find_process({"sh", "-c", command, "find_process", ""}));

  signal_group(*pid, SIGKILL);
  ::waitpid(*pid, nullptr, 0);
  CHECK_FALSE(find_process(argv));
  CHECK_FALSE(is_process(*pid, argv));
}

TEST_CASE("a call that Rscript would silently drop is refused") {
  asio::io_context io(1);
  RProcesses processes(io.get_executor());
  RStart start;
  start.call = std::string(max_call + 1, 'x');

  Result<pid_t> pid = processes.start(start, {});

  REQUIRE(!pid);
  CHECK(pid.error().message.find("9901 bytes, Rscript takes at most 9900") != std::string::npos);
}

TEST_CASE("start-up files that somebody else could have written are skipped") {
  char name[] = "/tmp/tenkai-test-XXXXXX";
  std::string folder = ::mkdtemp(name);
  std::ofstream(folder + "/.Rprofile") << "stop('read')\n";
  std::ofstream(folder + "/.Renviron") << "A=1\n";

  CHECK(start_up_options(folder).empty());
  ::chmod((folder + "/.Rprofile").c_str(), 0664);
  CHECK(start_up_options(folder) == std::vector<std::string>{"--no-init-file"});
  ::chmod((folder + "/.Renviron").c_str(), 0602);
  CHECK(start_up_options(folder) == std::vector<std::string>{"--no-init-file", "--no-environ"});

  ::unlink((folder + "/.Rprofile").c_str());
  ::unlink((folder + "/.Renviron").c_str());
  ::rmdir(folder.c_str());
}

TEST_CASE("the memory group is found in both kinds of hierarchy") {
  SECTION("version 2") {
    MemoryGroup group = find_memory_group("0::/user.slice/job_7\n");
    CHECK(group.events == "/sys/fs/cgroup/user.slice/job_7/memory.events");
    CHECK(group.limit == "/sys/fs/cgroup/user.slice/job_7/memory.max");
  }
  SECTION("version 1, with others around it") {
    MemoryGroup group = find_memory_group("9:name=systemd:/\n5:cpu,memory:/slurm/uid_1/job_7\n0::/\n");
    CHECK(group.events == "/sys/fs/cgroup/memory/slurm/uid_1/job_7/memory.oom_control");
    CHECK(group.limit == "/sys/fs/cgroup/memory/slurm/uid_1/job_7/memory.limit_in_bytes");
  }
  SECTION("none, or nonsense") {
    CHECK(find_memory_group("").events.empty());
    CHECK(find_memory_group("5:cpu:/a\n").events.empty());
    CHECK(find_memory_group("nonsense\n:\n::").events.empty());
  }
}

TEST_CASE("the kernel's count of kills for want of memory is read from both kinds of file") {
  CHECK(parse_oom_kills("low 0\nhigh 0\nmax 3\noom 2\noom_kill 2\noom_group_kill 0\n") == 2u);
  CHECK(parse_oom_kills("oom_kill_disable 0\nunder_oom 0\noom_kill 7\n") == 7u);
  CHECK(parse_oom_kills("oom_kill 1") == 1u);
  CHECK(!parse_oom_kills("oom_kill_disable 0\nunder_oom 0\n"));
  CHECK(!parse_oom_kills("oom_kill many\n"));
  CHECK(!parse_oom_kills(""));
}

TEST_CASE("payloads leave the descriptors that daemons will need") {
  CHECK(end_of_payload_files(1024, 50) == 512);
  CHECK(end_of_payload_files(256, 151) == 105);
  CHECK(end_of_payload_files(256, 300) == 0);
}

TEST_CASE("more descriptors than there can be are refused with the limit") {
  int usual = Bytes::end_of_files;

  Result<Done> some = keep_descriptors(10, 20);
  Result<Done> too_many = keep_descriptors(2'000'000'000, 2'000'000'000);
  Bytes::end_of_files = usual;

  CHECK(some);
  REQUIRE(!too_many);
  CHECK(too_many.error().message.find("21 | Out of files: 2000000000 descriptors are needed") == 0);
  CHECK(too_many.error().message.find("ulimit -n") != std::string::npos);
}

TEST_CASE("the last descriptors are for nothing that stays") {
  auto open = std::move(*make_pipe());
  int usual = std::exchange(Descriptor::end_of_lasting, open.second.get() + 1);

  Result<std::pair<Descriptor, Descriptor>> pipe = make_pipe();
  Result<std::pair<Descriptor, Descriptor>> sockets = make_socketpair();
  open = {};
  Result<std::pair<Descriptor, Descriptor>> again = make_pipe();
  Descriptor::end_of_lasting = usual;

  REQUIRE(!pipe);
  CHECK(pipe.error().message.find("21 | Out of files: no file descriptor is left for a pipe") == 0);
  CHECK(!sockets);
  CHECK(again);
}
