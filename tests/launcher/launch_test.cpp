#include "launcher/launch/launch.h"

#include <string>
#include <vector>

#include "launcher/launch/launch_words.h"
#include "tests/catch.h"

using namespace tenkai;

namespace {

const LaunchTime noon{};
const std::chrono::seconds minute{60};

Launch launch_of(std::size_t daemons, bool hands_on = true) {
  std::vector<std::size_t> slots;
  for (std::size_t i = 0; i < daemons; ++i) slots.push_back(i);
  return Launch(1, slots, "Rscript", hands_on, noon);
}

JobReport report(JobState state) {
  JobReport report;
  report.job = "j";
  report.state = state;
  return report;
}

JobReport ended(int code, const std::string& log = {}) {
  JobReport said = report(JobState::ended);
  said.exit_code = code;
  said.log = log;
  return said;
}

}  // namespace

TEST_CASE("a launch goes its way until all its daemons have joined") {
  Launch launch = launch_of(2);
  CHECK(launch.state() == LaunchState::asked);

  CHECK(launch.on_submitted(noon, "j"));
  CHECK(launch.on_report(noon, report(JobState::pending)));
  CHECK(launch.state() == LaunchState::pending);
  CHECK(launch.on_report(noon, report(JobState::starting)));
  CHECK(launch.on_daemon_joined(noon) == false);
  CHECK(launch.detail() == "1 of 2 daemons have joined");
  CHECK(launch.on_daemon_joined(noon));

  CHECK(launch.state() == LaunchState::joined);
  CHECK_FALSE(launch.is_waited_for());
}

TEST_CASE("news that come late do not undo what is known") {
  Launch launch = launch_of(1);
  launch.on_report(noon, report(JobState::starting));

  CHECK_FALSE(launch.on_submitted(noon, "j"));
  CHECK_FALSE(launch.on_report(noon, report(JobState::pending)));

  CHECK(launch.state() == LaunchState::starting);
}

TEST_CASE("a command that ends before its daemons have joined is a failure with its cause") {
  Launch launch = launch_of(1);
  launch.on_submitted(noon, "j");

  CHECK(launch.on_report(noon, ended(127, "sh: 1: Rscript: not found\n")));

  CHECK(launch.state() == LaunchState::failed);
  CHECK(launch.failure().cause == cause::rscript_missing);
  CHECK(launch.has_ended());
}

TEST_CASE("a command that has handed its work on has not failed") {
  Launch launch = launch_of(1);
  launch.on_submitted(noon, "j");

  launch.on_report(noon, ended(0));

  CHECK(launch.is_waited_for());
  CHECK_FALSE(launch.has_ended());
}

TEST_CASE("a launch that was handed on is gone with the last of its daemons") {
  Launch launch = launch_of(2);
  launch.on_submitted(noon, "j");
  launch.on_report(noon, ended(0));
  launch.on_daemon_joined(noon);
  launch.on_daemon_joined(noon);

  CHECK_FALSE(launch.on_daemon_left(noon));
  CHECK(launch.state() == LaunchState::joined);
  CHECK(launch.on_daemon_left(noon));
  CHECK(launch.state() == LaunchState::gone);

  // What was put back into a queue elsewhere is seen again.
  CHECK(launch.on_daemon_joined(noon));
  CHECK(launch.joined() == 1);
}

TEST_CASE("a launch that was handed on waits for those that have not come yet") {
  Launch launch = launch_of(2);
  launch.on_submitted(noon, "j");
  launch.on_report(noon, ended(0));
  launch.on_daemon_joined(noon);

  CHECK_FALSE(launch.on_daemon_left(noon));

  CHECK(launch.is_waited_for());
  CHECK(launch.on_silence(noon + minute, minute));
}

TEST_CASE("an agent that ends before its daemons have joined has failed, even if it ends well") {
  Launch launch = launch_of(1, false);
  launch.on_submitted(noon, "j");

  CHECK(launch.on_report(noon, ended(0, "nothing to do\n")));

  CHECK(launch.failure().cause == cause::exited);
  CHECK(launch.failure().message.find(
            "exit code 0 before its daemons had joined; its last lines:\nnothing to do") !=
        std::string::npos);
}

TEST_CASE("a launch whose daemons have gone, and whose command has ended, is gone") {
  SECTION("whichever comes first") {
    Launch launch = launch_of(1);
    launch.on_daemon_joined(noon);
    launch.on_daemon_left(noon);
    CHECK(launch.state() == LaunchState::joined);
    CHECK(launch.on_report(noon, ended(1)));
    CHECK(launch.state() == LaunchState::gone);
  }
  SECTION("or last") {
    Launch launch = launch_of(1);
    launch.on_daemon_joined(noon);
    launch.on_report(noon, ended(0));
    CHECK(launch.state() == LaunchState::joined);
    CHECK(launch.on_daemon_left(noon));
    CHECK(launch.state() == LaunchState::gone);
  }
  SECTION("and where its plugin has died, the daemons alone tell") {
    Launch launch = launch_of(1);
    launch.on_daemon_joined(noon);
    launch.on_plugin_lost();
    CHECK(launch.state() == LaunchState::joined);
    CHECK(launch.on_daemon_left(noon));
    CHECK(launch.state() == LaunchState::gone);
  }
}

TEST_CASE("with its plugin a launch loses the name of its job, which may be given anew") {
  Launch launch = launch_of(1);
  launch.on_submitted(noon, "j");
  launch.on_daemon_joined(noon);

  launch.on_plugin_lost();

  CHECK(launch.job().empty());
  CHECK(launch.state() == LaunchState::joined);
  launch.on_submitted(noon, "k");
  CHECK(launch.job() == "k");
}

TEST_CASE("a daemon that dies and is started again leaves the launch as it is") {
  Launch launch = launch_of(1);
  launch.on_daemon_joined(noon);

  CHECK_FALSE(launch.on_daemon_left(noon));
  CHECK_FALSE(launch.on_daemon_joined(noon));

  CHECK(launch.state() == LaunchState::joined);
}

TEST_CASE("silence is told as what it is, with the last sign of life") {
  Launch launch = launch_of(1);
  launch.on_submitted(noon, "j");
  launch.on_report(noon, report(JobState::starting));

  CHECK_FALSE(launch.on_silence(noon + minute - std::chrono::seconds(1), minute));
  CHECK(launch.on_silence(noon + minute, minute));

  CHECK(launch.failure().cause == cause::unknown);
  CHECK(launch.failure().message.find("last sign: it was starting") != std::string::npos);
}

TEST_CASE("a launch is silent while it is to begin, and until its first daemon has come") {
  Launch launch = launch_of(1);
  CHECK_FALSE(launch.is_silent(noon + minute, minute));
  launch.on_submitted(noon, "j");
  CHECK(launch.is_silent(noon + minute, minute));
  launch.on_report(noon + minute, report(JobState::starting));
  CHECK_FALSE(launch.is_silent(noon + minute, minute));
  CHECK(launch.is_silent(noon + 2 * minute, minute));

  launch.on_daemon_joined(noon + 2 * minute);

  CHECK_FALSE(launch.is_silent(noon + std::chrono::hours(1), minute));
}

TEST_CASE("a launch that waits in a queue may do so for long") {
  Launch launch = launch_of(1);
  launch.on_report(noon, report(JobState::pending));

  CHECK_FALSE(launch.on_silence(noon + std::chrono::hours(100), minute));
}

TEST_CASE("a failed launch whose daemon comes all the same has joined") {
  Launch launch = launch_of(1);
  launch.on_submitted(noon, "j");
  launch.on_silence(noon + minute, minute);

  CHECK(launch.on_daemon_joined(noon));

  CHECK(launch.state() == LaunchState::joined);
  CHECK(launch.failure().cause == cause::none);
}

TEST_CASE("what a plugin notes of an end takes nothing from its cause") {
  Launch launch = launch_of(1, false);
  JobReport said = ended(9);
  said.note = "node n2 is left out";

  CHECK(launch.on_report(noon, said));

  CHECK(launch.failure().cause == cause::exited);
  CHECK(launch.failure().message.find("exit code 9") != std::string::npos);
  CHECK(launch.failure().message.find("; node n2 is left out") != std::string::npos);
}

TEST_CASE("a cause that is told late takes the place of none") {
  Launch launch = launch_of(1, false);
  launch.on_submitted(noon, "j");
  launch.on_silence(noon + minute, minute);
  JobReport late = report(JobState::ended);
  late.cause = cause::oom;
  late.message = "it ran out of memory";

  CHECK(launch.on_report(noon + 2 * minute, late));
  CHECK(launch.failure() == Failure{cause::oom, "it ran out of memory"});

  CHECK_FALSE(launch.on_report(noon + 2 * minute, ended(255, "something else")));
  CHECK(launch.failure().cause == cause::oom);
}

TEST_CASE("a launch that was given up too early waits again when that is told, once") {
  Launch launch = launch_of(1, false);
  launch.on_submitted(noon, "j");
  launch.on_silence(noon + minute, minute);

  CHECK(launch.on_report(noon + minute, report(JobState::pending)));
  CHECK(launch.state() == LaunchState::pending);

  CHECK(launch.on_report(noon + minute, report(JobState::starting)));
  CHECK(launch.on_silence(noon + 2 * minute, minute));
  CHECK_FALSE(launch.on_report(noon + 2 * minute, report(JobState::starting)));
  CHECK(launch.state() == LaunchState::failed);
}

TEST_CASE("the first cause of a failure is kept") {
  Launch launch = launch_of(1);
  JobReport failed = report(JobState::failed);
  failed.cause = cause::auth_refused;
  failed.message = "no";
  launch.on_report(noon, failed);

  CHECK_FALSE(launch.on_report(noon, ended(255, "something else")));
  CHECK_FALSE(launch.on_error(noon, cause::plugin, "it died"));

  CHECK(launch.failure() == Failure{cause::auth_refused, "no"});
}

TEST_CASE("a launch that is withdrawn is over, one that has joined is not") {
  Launch waiting = launch_of(1);
  CHECK(waiting.on_withdrawn(noon));
  CHECK(waiting.state() == LaunchState::gone);
  CHECK(waiting.has_ended());
  JobReport end;
  end.state = JobState::failed;
  end.cause = cause::job_cancelled;
  CHECK_FALSE(waiting.on_report(noon, end));
  CHECK(waiting.state() == LaunchState::gone);

  Launch joined = launch_of(1);
  joined.on_daemon_joined(noon);
  CHECK_FALSE(joined.on_withdrawn(noon));
}

TEST_CASE("a launch whose job is put back into the queue waits again, when its daemons have gone") {
  Launch launch = launch_of(1);
  launch.on_daemon_joined(noon);
  JobReport back = report(JobState::pending);
  back.cause = cause::requeued;
  back.message = "it was put back into the queue: BeginTime";

  CHECK_FALSE(launch.on_report(noon, back));
  CHECK(launch.state() == LaunchState::joined);
  launch.on_daemon_left(noon);
  CHECK(launch.on_report(noon, back));

  CHECK(launch.state() == LaunchState::pending);
  CHECK(launch.detail() == back.message);
  CHECK(launch.on_daemon_joined(noon));
}

TEST_CASE("launches that wait for somebody are told with why, and how many there are") {
  JobReport held = report(JobState::pending);
  held.message = "it waits in the queue: PartitionDown, its partition is down";
  held.stuck = true;
  std::vector<Launch> launches{launch_of(1), launch_of(1), launch_of(1)};
  for (Launch& launch : launches) {
    launch.on_submitted(noon, "5_0");
    launch.on_report(noon, held);
  }

  std::string text = stuck_text({&launches[0]}, "slurm");
  CHECK_THAT(text, saying("daemon 1, by slurm, job 5_0) may never begin: " + held.message));
  CHECK(text.find("other") == std::string::npos);
  CHECK_THAT(stuck_text({&launches[0], &launches[1]}, "slurm"),
             saying("\n1 other launch waits for the same"));
  CHECK_THAT(stuck_text({&launches[0], &launches[1], &launches[2]}, "slurm"),
             saying("2 other launches wait"));
}

TEST_CASE("a user who looks has a batch system asked soon, and then more and more seldom") {
  using std::chrono::seconds;
  Launch launch = launch_of(1);
  launch.on_submitted(noon, "1");

  CHECK_FALSE(launch.is_worth_asking(noon + seconds(2), noon - minute));
  CHECK(launch.is_worth_asking(noon + seconds(3), noon - minute));
  CHECK_FALSE(launch.is_worth_asking(noon + seconds(32), noon + seconds(3)));
  CHECK(launch.is_worth_asking(noon + seconds(33), noon + seconds(3)));
  CHECK_FALSE(launch.is_worth_asking(noon + 100 * minute, noon + 91 * minute));
  CHECK(launch.is_worth_asking(noon + 100 * minute, noon + 90 * minute));
  launch.on_daemon_joined(noon);
  CHECK_FALSE(launch.is_worth_asking(noon + 100 * minute, noon));
}

TEST_CASE("a launch whose job is suspended is not given up for its silence") {
  Launch launch = launch_of(1);
  launch.on_submitted(noon, "5_0");
  launch.on_report(noon, report(JobState::starting));
  JobReport suspended = report(JobState::starting);
  suspended.suspended = true;
  suspended.message = "Slurm has suspended it";
  launch.on_report(noon + minute / 2, suspended);

  CHECK_FALSE(launch.on_silence(noon + 100 * minute, minute));
  CHECK(launch.detail() == "Slurm has suspended it");
  // Whoever looks has it asked whether it goes on.
  CHECK(launch.is_worth_asking(noon + 100 * minute, noon + 99 * minute));

  launch.on_report(noon + 100 * minute, report(JobState::starting));
  CHECK_FALSE(launch.is_silent(noon + 101 * minute - minute / 2, minute));
  CHECK(launch.is_silent(noon + 101 * minute, minute));
}

TEST_CASE("a launch whose agent goes on without one of its daemons is complete with the others") {
  Launch launch = launch_of(3);
  launch.on_report(noon, report(JobState::starting));
  launch.on_daemon_joined(noon);

  CHECK(launch.on_daemon_given_up(noon, 1, {cause::exited, "its R ended"}));
  CHECK_FALSE(launch.on_daemon_given_up(noon, 1, {cause::exited, "its R ended"}));
  CHECK(launch.state() == LaunchState::starting);
  CHECK(launch.on_daemon_joined(noon));

  CHECK(launch.state() == LaunchState::joined);
  CHECK(launch.detail() == "1 daemon is not started again: its R ended");
  std::string line = status_line(launch, "ssh");
  CHECK(line.find("\tjoined\texited\t") != std::string::npos);
}

TEST_CASE("the last daemon that can come may be given up after the others have joined") {
  Launch launch = launch_of(2);
  launch.on_daemon_joined(noon);

  launch.on_daemon_given_up(noon, 1, {cause::package_missing, "no package"});

  CHECK(launch.state() == LaunchState::joined);
  CHECK(given_up_text(launch, "ssh") ==
        "daemon 2 (launch 1, by ssh) is not started again: no package\n"
        "The others of this launch go on; when that is mended, launch_remote() brings another");
}

TEST_CASE("a launch of which no daemon has come waits for the end of its command, which tells more") {
  Launch launch = launch_of(2);
  launch.on_report(noon, report(JobState::starting));
  launch.on_daemon_given_up(noon, 0, {cause::exited, "its R ended"});
  launch.on_daemon_given_up(noon, 1, {cause::exited, "its R ended"});

  CHECK(launch.state() == LaunchState::starting);
  launch.on_report(noon, ended(1, "no such library\n"));

  CHECK(launch.state() == LaunchState::failed);
  CHECK(launch.detail().find("no such library") != std::string::npos);
}
