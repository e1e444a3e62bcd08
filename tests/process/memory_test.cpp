// How much memory real processes have, and what becomes of those that have too much.
#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "process/memory_use.h"
#include "process/r_processes.h"
#include "tests/catch.h"

using namespace tenkai;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t mib = 1024 * 1024;

// Runs `sh -c text` as if it were R, for so long at most; how it ended, if it did.
std::optional<REnd> run_with_limit(const std::string& text, std::uint64_t limit,
                                   std::chrono::milliseconds most = 10s) {
  asio::io_context io(1);
  RProcesses processes(io.get_executor());
  processes.limit_memory(limit);
  RStart start;
  start.rscript = TENKAI_TEST_DATA "/as_rscript.sh";
  start.call = text;
  std::optional<REnd> result;
  Result<pid_t> pid = processes.start(start, [&](pid_t, const REnd& end) {
    result = end;
    io.stop();
  });
  REQUIRE(pid);
  io.run_for(most);
  if (!result) processes.kill_all();
  return result;
}

// A program that takes so many MiB, then runs `more`.
std::string takes(int megabytes, const std::string& more = "sleep 30") {
  return "perl -e 'vec($x, " + std::to_string(megabytes) + " << 20, 8) = 1; " + more + "'";
}

}  // namespace

TEST_CASE("what the kernel says of memory is read, and nothing else") {
  CHECK(parse_resident_pages("4652 1024 700 1 0 600 0\n") == 1024);
  CHECK(parse_resident_pages("0 0 0 0 0 0 0\n") == 0);
  for (const char* text : {"", "12", "12 ", "12 x 3", "12 -1 3", "12 99999999999999999999 3"})
    CHECK_FALSE(parse_resident_pages(text));

  CHECK(parse_proportional("Rss: 9 kB\nPss:                 500 kB\nPss_Anon:   400 kB\n") == 500 * 1024);
  CHECK(parse_proportional("Pss: 1 kB\nVmFlags: rd\nPss: 2 kB\n") == 3 * 1024);
  for (const char* text : {"", "Pss:", "Pss: kB", "Pss: -1 kB", "SwapPss: 3 kB", " Pss: 3 kB"})
    CHECK_FALSE(parse_proportional(text));

  CHECK(parse_children("12 345 \n") == std::vector<pid_t>{12, 345});
  CHECK(parse_children("").empty());
  CHECK(parse_children("0 -3 x 99999999999").empty());
}

TEST_CASE("amounts are told in words, and never as less than they are") {
  CHECK(as_memory(1) == "1 MiB");
  CHECK(as_memory(300 * mib) == "300 MiB");
  CHECK(as_memory(1024 * mib) == "1 GiB");
  CHECK(as_memory(1024 * mib + 1) == "1.1 GiB");
  CHECK(as_memory(1536 * mib) == "1.5 GiB");
  CHECK(as_memory(UINT64_MAX) == "17179869184 GiB");
}

TEST_CASE("a process is counted with what it has started, and nothing is said of one that is gone") {
  MemoryUse own = resident_memory(::getpid());

  CHECK(own.bytes > mib);
  CHECK(own.processes == std::vector<pid_t>{::getpid()});
  std::uint64_t exact = proportional_memory(own.processes);
  CHECK(exact > mib / 2);
  CHECK(exact <= own.bytes + mib);
  CHECK(resident_memory(0x7fffffff).bytes == 0);
  CHECK(proportional_memory({0x7fffffff}) == 0);
}

TEST_CASE("a process that has more memory than it may is killed, and how much it had is known") {
  std::optional<REnd> end = run_with_limit("exec " + takes(200), 100 * mib);

  REQUIRE(end);
  CHECK(end->how.signal == SIGKILL);
  CHECK(end->out_of_memory);
  INFO(end->excess);
  // It may be seen on its way to the 200.
  int had = 0;
  REQUIRE(std::sscanf(end->excess.c_str(), "it had %d MiB", &had) == 1);
  CHECK(had > 100);
  CHECK(had < 210);
  CHECK(end->excess.ends_with(" MiB, and limits.memory allows 100 MiB"));
}

TEST_CASE("what it has started counts and goes, too, also in a session of its own") {
  std::string mark = "/tmp/tenkai-memory-" + std::to_string(::getpid());
  std::optional<REnd> end = run_with_limit(
      "setsid " +
          takes(80, "$SIG{TERM} = \"IGNORE\"; open(F, \">" + mark + "\"); print F $$; close F; sleep 30") +
          " & " + takes(80) + " & wait",
      120 * mib);

  REQUIRE(end);
  CHECK(end->out_of_memory);
  CHECK(std::system(("p=$(cat " + mark + "); rm " + mark +
                     "; for i in 1 2 3 4 5 6 7 8 9 10; do case $(cat /proc/$p/stat 2>/dev/null) in "
                     "''|*') Z '*) exit 0;; esac; sleep 0.1; done; exit 1")
                        .c_str()) == 0);
}

TEST_CASE("memory that forked processes share counts once") {
  std::string four = takes(60, "fork; fork; select(undef, undef, undef, 1.6); exit 7");

  std::optional<REnd> end = run_with_limit("exec " + four, 150 * mib);

  REQUIRE(end);
  CHECK(end->how.exit_code == 7);
  CHECK_FALSE(end->out_of_memory);
}

TEST_CASE(
    "one that stays within its limit, or is killed by somebody else, is not said to have had too much") {
  std::optional<REnd> end =
      run_with_limit("exec " + takes(50, "select(undef, undef, undef, 0.8); kill 9, $$"), 200 * mib);

  REQUIRE(end);
  CHECK(end->how.signal == SIGKILL);
  CHECK(end->excess.empty());
}
