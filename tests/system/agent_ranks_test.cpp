// The real agent with several daemons, whose R's are played by lines of perl
// (tests/data/rank_without_r.pl).
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/lines.h"
#include "base/version.h"
#include "tests/catch.h"
#include "tests/system/peer.h"
#include "tests/system/siege.h"
#include "tests/wire/temporary_folder.h"

using namespace tenkai;
using namespace tenkai::test;
using namespace std::chrono_literals;

namespace {

// Its daemons, one for each URL, all do this.
class AgentOf {
 public:
  AgentOf(const std::vector<std::string>& urls, const std::string& lines,
          const std::vector<std::string>& arguments = {}) {
    Spawn what;
    what.argv = {std::string(TENKAI_TEST_BIN) + "/tenkai", "agent", "--rscript",
                 TENKAI_TEST_DATA "/rank_without_r.pl"};
    what.argv.insert(what.argv.end(), arguments.begin(), arguments.end());
    if (!urls.empty()) what.argv.insert(what.argv.end(), {"--daemons", std::to_string(urls.size())});
    for (const std::string& url : urls) what.argv.insert(what.argv.end(), {"--url", url});
    what.environment = {{"TENKAI_TEST_FOLDER", folder.path()},
                        {"TENKAI_TEST_SCRIPT", lines},
                        {"TENKAI_FLOW_VERSION", std::string(program_version)}};
    pid_ = *spawn(what);
  }
  ~AgentOf() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  // Nothing, where it does not end.
  std::optional<int> exit_code() {
    int status = 0;
    if (!eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }, 30s)) return std::nullopt;
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::string noted(const std::string& name) const {
    std::ifstream file(folder / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  TemporaryFolder folder;

 private:
  pid_t pid_ = -1;
};

// A launch of both slots as one agent, which the test starts: the command only keeps what lets it
// in, and lasts as long as the folder.
void launch_two(TestDispatcher& dispatcher, const TemporaryFolder& folder) {
  Frame order(Type::request);
  order.task = 7;
  order.with(Key::name, "launch_remote");
  std::string file = folder / "credential";
  order.payload = make_payload(
      line_of("configuration",
              "plugin=command\ncredential=stdin\nform=agent\noption=args=.\n" +
                  line_of("option", "program=umask 077; cat >" + file + ".new; mv " + file + ".new " + file +
                                        "; while [ -d " + folder.path() + " ]; do sleep 0.1; done #")) +
      "slot=1\nslot=2\n");
  dispatcher.session.send(std::move(order));
  std::optional<Frame> answer = dispatcher.session.receive(Type::reply);
  REQUIRE(answer);
  REQUIRE(answer->text(Key::message) == "");
  REQUIRE(eventually([&] { return std::filesystem::exists(file); }, 30s));
}

}  // namespace

TEST_CASE("an agent ends when one daemon has said goodbye and the other cannot start") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=2\n");

  AgentOf agent(urls,
                "if (is_first('leaver')) { join_session(); note('leaver gone', $$); say_goodbye() }"
                "wait_for_end_of('leaver gone'); exit 3");

  CHECK(agent.exit_code() == 3);
}

TEST_CASE("a daemon that is to be started again is, though the only other one says goodbye meanwhile") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=2\n");

  AgentOf agent(urls,
                "join_session();"
                "if (is_first('leaver')) { wait_for_end_of('ended'); say_goodbye() }"
                "exit 1 if is_first('started');"
                "if (is_first('started anew')) { note('ended', $$); exit 1 }"  // then there is a pause
                "note('started again', 'yes'); say_goodbye()");

  CHECK(agent.exit_code() == 0);
  CHECK(agent.noted("started again") == "yes");
}

TEST_CASE("where R finds no package tenkai, no daemon of the agent goes on waiting for it") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=2\n");

  AgentOf agent(urls,
                "wait_for_frame(2) unless is_first('finds none');"
                "die \"there is no package called 'tenkai'\\n\"");

  CHECK(agent.exit_code().value_or(0) != 0);
}

TEST_CASE("a daemon that its agent starts no more is told to the session once, and its launch is complete") {
  TestDispatcher dispatcher;
  dispatcher.set_up("policy=queue\ndaemons=2\nurl=ws://127.0.0.1:0\n");
  TemporaryFolder folder;
  launch_two(dispatcher, folder);

  AgentOf agent({}, "if (is_first('good')) { join_session(); stay() } die \"no such library\\n\"",
                {"--daemons", "2", "--manifest", "--credential", "@" + (folder / "credential")});

  std::optional<Frame> note = dispatcher.session.receive(Type::note, 30s);
  REQUIRE(note);
  std::string text = note->text(Key::message);
  INFO(text);
  CHECK(says(text, " (launch 1, by command) is not started again: its R ended with exit code "));
  CHECK(says(text, ", 3 times in a row before it was ready; its last lines:\nno such library"));
  CHECK(says(text, "launch_remote() brings another"));
  auto launch = dispatcher.status().at(3);
  CHECK(launch.at(5) == "joined");
  CHECK(launch.at(6) == "exited");
  CHECK(says(launch.at(7), "1 daemon is not started again: "));
  CHECK(dispatcher.session.is_silent(500ms));
}

TEST_CASE("an R that an agent starts knows that it is to become a daemon, and starts none itself") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\n");

  AgentOf agent(urls, "note('starts', $ENV{TENKAI_DAEMON_STARTS}); join_session(); say_goodbye()");

  CHECK(agent.exit_code() == 0);
  CHECK(agent.noted("starts") == "1");
}
