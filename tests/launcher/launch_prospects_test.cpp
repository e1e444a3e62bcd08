#include "launcher/launch/launch_prospects.h"

#include <cstdint>

#include "tests/catch.h"

using namespace tenkai;
using Kind = Prospects::Kind;

namespace {

const LaunchTime noon{};

Launch launch(std::uint64_t number) {
  Launch launch(number, {number - 1}, "Rscript", true, noon);
  launch.on_submitted(noon, "j");
  return launch;
}

Launch failed(std::uint64_t number) {
  Launch failed = launch(number);
  failed.on_error(noon, cause::none, "there is no qsub");
  return failed;
}

Launch handed_on(std::uint64_t number) {
  Launch handed_on = launch(number);
  JobReport ended;
  ended.state = JobState::ended;
  ended.exit_code = 0;
  handed_on.on_report(noon, ended);
  return handed_on;
}

}  // namespace

TEST_CASE("where nothing was launched somebody else may bring a daemon") {
  CHECK(prospects_of({}, false) == Prospects{});
  CHECK(prospects_of({}, true) == Prospects{Kind::none, "none could be launched"});
}

TEST_CASE("one launch that may bring a daemon is enough, wherever it stands") {
  Launch first = failed(1);
  Launch second = launch(2);
  Launch third = failed(3);

  CHECK(prospects_of({{&first, "command"}, {&second, "command"}, {&third, "command"}}, false) ==
        Prospects{Kind::coming, ""});
}

TEST_CASE("where all launches are over the last one says why") {
  Launch first = launch(1);
  first.on_withdrawn(noon);
  Launch second = failed(2);

  CHECK(prospects_of({{&first, "slurm"}}, false) ==
        Prospects{Kind::none, "launch 1 (daemon 1, by slurm) is over"});
  CHECK(prospects_of({{&first, "slurm"}, {&second, "command"}}, false) ==
        Prospects{Kind::none, "launch 2 (daemon 2, by command) has failed: there is no qsub"});
}

TEST_CASE("a command that was printed may be run, and one that has brought daemons goes on") {
  Launch printed = launch(1);
  Launch over = failed(2);

  CHECK(prospects_of({{&printed, "command", true}, {&over, "command"}}, false) == Prospects{});
  printed.on_daemon_joined(noon);
  CHECK(prospects_of({{&printed, "command", true}}, false) == Prospects{Kind::coming, ""});
}

TEST_CASE("nothing comes any more of a launch that was handed on, and whose daemons have left") {
  Launch launch = handed_on(1);
  CHECK(prospects_of({{&launch, "command"}}, false).kind == Kind::coming);
  launch.on_daemon_joined(noon);
  CHECK(prospects_of({{&launch, "command"}}, false).kind == Kind::coming);

  launch.on_daemon_left(noon);

  CHECK(prospects_of({{&launch, "command"}}, false) ==
        Prospects{Kind::none, "launch 1 (daemon 1, by command) is over"});
}
