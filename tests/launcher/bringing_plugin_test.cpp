#include "launcher/bring/bringing_plugin.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "launcher/bring/bring.h"
#include "tests/catch.h"

using namespace tenkai;

namespace {

const std::string call = "tenkai::agent('ws://127.0.0.1:1')";
const std::string missing =
    "Error in loadNamespace(x) : there is no package called \xE2\x80\x98tenkai\xE2\x80\x99\n";

// What the plugin below was asked.
struct Seen {
  std::vector<LaunchRequest> started;  // as job-1, job-2, …
  std::vector<std::string> cancelled;
  Plugin::Tell tell;
};

class Below : public Plugin {
 public:
  Below(Seen& seen, Tell tell) : seen_(seen) { seen_.tell = std::move(tell); }
  Result<Rendered> render(const LaunchRequest&) const override { return Rendered{"as below"}; }
  void start(const LaunchRequest& request, Answer<Jobs> answer) override {
    seen_.started.push_back(request);
    answer(Jobs{"job-" + std::to_string(seen_.started.size())});
  }
  void poll(const std::string&, Answer<JobReport> answer) override { answer(JobReport{}); }
  void cancel(const std::string& job, Answer<Done> answer) override {
    seen_.cancelled.push_back(job);
    answer(Done{});
  }
  void close(std::function<void()> done) override { done(); }

 private:
  Seen& seen_;
};

struct World {
  World() {
    plugin = std::make_unique<BringingPlugin>(
        io.get_executor(), [this](JobReport report) { told.push_back(std::move(report)); },
        [this](asio::any_io_executor, Plugin::Tell tell) {
          return std::make_unique<Below>(seen, std::move(tell));
        });
  }

  void launch(const std::string& expression = call, const std::string& bring = "1") {
    LaunchRequest request;
    request.command = {"Rscript", "-e", expression};
    request.options = {{"bring", {bring}}, {"program", {"sh"}}};
    request.input = "a credential";
    plugin->start(request, [](const Result<Plugin::Jobs>&) {});
  }
  void end(const std::string& job, const std::string& log) {
    JobReport report;
    report.job = job;
    report.state = JobState::ended;
    report.exit_code = 1;
    report.log = log;
    seen.tell(report);
    io.restart();
    io.poll();
  }

  asio::io_context io{1};
  Seen seen;
  std::vector<JobReport> told;
  std::unique_ptr<BringingPlugin> plugin;
};

}  // namespace

TEST_CASE("a launch that misses the package waits while the machine is asked") {
  World world;
  world.launch();

  world.end("job-1", missing);

  REQUIRE(world.told.size() == 1);
  CHECK(world.told[0].job == "job-1");
  CHECK(world.told[0].state == JobState::starting);
  CHECK(world.told[0].suspended);
  REQUIRE(world.seen.started.size() == 2);
  CHECK(world.seen.started[1].command.back() == bring::survey_call());
  CHECK(world.seen.started[1].input.empty());
}

TEST_CASE("where nothing can be brought, the launch ends as it had, and says why") {
  World world;
  world.launch();
  world.end("job-1", missing);

  world.end("job-2", "Rscript: cannot allocate memory\n");

  REQUIRE(world.told.size() == 2);
  CHECK(world.told[1].job == "job-1");
  CHECK(world.told[1].cause == cause::package_missing);
  CHECK(world.told[1].message.find("cannot allocate memory") != std::string::npos);
}

TEST_CASE("launches at one place wait for the same") {
  World world;
  world.launch();
  world.launch();
  world.end("job-1", missing);
  world.end("job-2", missing);
  CHECK(world.seen.started.size() == 3);

  world.end("job-3", "");

  REQUIRE(world.told.size() == 4);
  CHECK(world.told[2].job == "job-1");
  CHECK(world.told[3].job == "job-2");
}

TEST_CASE("what was cancelled while it waited has ended, and nothing is done for it") {
  World world;
  world.launch();
  world.end("job-1", missing);

  world.plugin->cancel("job-1", [](const Result<Done>&) {});

  CHECK(world.told.back().state == JobState::ended);
  CHECK(world.told.back().message == "it was cancelled");
  CHECK(std::count(world.seen.cancelled.begin(), world.seen.cancelled.end(), "job-2") == 1);
}

TEST_CASE("what is no lack of tenkai, or not ours, or forbidden, is passed on") {
  World world;
  SECTION("another failure") { world.launch(); }
  SECTION("another program's call") { world.launch("mirai::daemon('ws://x')"); }
  SECTION("bring: no") { world.launch(call, "0"); }

  world.end("job-1", world.seen.started[0].command.back() == call && world.seen.started[0].flag("bring")
                         ? "Error: out of luck\n"
                         : missing);

  REQUIRE(world.told.size() == 1);
  CHECK(world.told[0].state == JobState::ended);
  CHECK(world.seen.started.size() == 1);
}
