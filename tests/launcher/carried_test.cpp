// Workers of other programs: which go together, and what runs them.
#include "launcher/launch/carried.h"

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "launcher/template/shell.h"
#include "tests/catch.h"

using namespace tenkai;

namespace {

std::vector<std::string> commands(std::size_t count, const std::string& what = "true") {
  return std::vector<std::string>(count, what);
}

struct Ran {
  int code = 0;
  std::string output;
};

// By a shell, with these words before.
Ran run(const std::string& before, const std::vector<std::string>& argv) {
  Ran ran;
  std::FILE* pipe = ::popen((before + " " + shell_command(argv)).c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 256> bytes{};
  while (std::size_t size = std::fread(bytes.data(), 1, bytes.size(), pipe))
    ran.output.append(bytes.data(), size);
  int status = ::pclose(pipe);
  ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

}  // namespace

TEST_CASE("a launch has an element for each chunk of workers") {
  std::vector<CarriedLaunch> launches = carried_launches(commands(5), 2);
  REQUIRE(launches.size() == 1);
  CHECK(launches[0].first == 0);
  CHECK(launches[0].workers == 5);
  CHECK(launches[0].elements == 3);
  CHECK(launches[0].chunk == 2);
  CHECK(carried_launches({}, 4).empty());
  CHECK(carried_launches(commands(2), 0)[0].elements == 2);
}

TEST_CASE("what is too long for one argument becomes several launches, and no chunk is torn apart") {
  std::vector<CarriedLaunch> launches = carried_launches(commands(50, std::string(3000, 'x')), 4);
  REQUIRE(launches.size() > 1);
  std::size_t next = 0;
  for (const CarriedLaunch& each : launches) {
    CHECK(each.first == next);
    CHECK(each.command.back().size() < 100 * 1024);
    if (&each != &launches.back()) CHECK(each.workers % 4 == 0);
    next += each.workers;
  }
  CHECK(next == 50);
  // One alone is taken, however long.
  CHECK(carried_launches(commands(1, std::string(max_carried_command, 'x')), 1).size() == 1);
}

TEST_CASE("each element runs the commands of its rank, as they were written") {
  std::vector<CarriedLaunch> launches =
      carried_launches({"echo \"it's\" $TENKAI_RANK", "echo two; exit 3", "echo three | cat"}, 1);
  REQUIRE(launches.size() == 1);
  auto rank = [&](int number) { return run("TENKAI_RANK=" + std::to_string(number), launches[0].command); };
  CHECK(rank(0).output == "it's 0\n");
  CHECK(rank(1).output == "two\n");
  CHECK(rank(1).code == 3);
  CHECK(rank(2).output == "three\n");
  CHECK(rank(3).code == 0);
}

TEST_CASE("workers whose input tells the end are ended by it, with all that they have started") {
  std::vector<std::string> argv =
      carried_launches({"echo one; (sleep 60; echo late) & wait"}, 1, WorkersEnd::with_input)[0].command;
  // Whether it has begun by then or not.
  CHECK(run("true |", argv).output.find("late") == std::string::npos);
}

TEST_CASE("workers whose input goes on end by themselves") {
  std::vector<std::string> argv = carried_launches({"exit 3"}, 1, WorkersEnd::with_input)[0].command;
  std::string open_input = "f=$(mktemp -u) && mkfifo \"$f\" && exec <>\"$f\" && rm \"$f\";";
  CHECK(run(open_input, argv).code == 3);
}

TEST_CASE("workers of a chunk run side by side, and the last failure is that of the job") {
  CarriedLaunch launch = carried_launches({"exit 0", "exit 4", "exit 0"}, 3).front();
  CHECK(run("TENKAI_RANK=0", launch.command).code == 4);
  // Each waits for the other.
  launch = carried_launches({"read line <$FIFO; echo \"$line\"", "echo met >$FIFO"}, 2).front();
  CHECK(run("d=$(mktemp -d); mkfifo $d/f; trap 'rm -rf $d' EXIT; FIFO=$d/f", launch.command).output ==
        "met\n");
}

TEST_CASE("the program of a command is its first word") {
  CHECK(program_of("Rscript -e 'x'") == "Rscript");
  CHECK(program_of("  '/opt/my R/Rscript' -e 1") == "/opt/my R/Rscript");
  CHECK(program_of("true;false") == "true");
  CHECK(program_of("").empty());
}
