#include "launcher/bring/offering_plugin.h"

#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/catch.h"

using namespace tenkai;
namespace fs = std::filesystem;

namespace {

class Below : public Plugin {
 public:
  explicit Below(std::vector<LaunchRequest>& started) : started_(started) {}
  Result<Rendered> render(const LaunchRequest& request) const override {
    return Rendered{request.option("launch.bring", "nothing")};
  }
  void start(const LaunchRequest& request, Answer<Jobs> answer) override {
    started_.push_back(request);
    answer(Jobs{"1"});
  }
  void poll(const std::string&, Answer<JobReport> answer) override { answer(JobReport{}); }
  void cancel(const std::string&, Answer<Done> answer) override { answer(Done{}); }
  void close(std::function<void()> done) override { done(); }

 private:
  std::vector<LaunchRequest>& started_;
};

struct World {
  World() {
    char name[] = "/tmp/tenkai-offering-XXXXXX";
    folder = ::mkdtemp(name);
    plugin = std::make_unique<OfferingPlugin>(
        io.get_executor(), [](JobReport) {},
        [this](asio::any_io_executor, Plugin::Tell) { return std::make_unique<Below>(started); });
  }
  ~World() { fs::remove_all(folder); }

  LaunchRequest request(const std::string& call = "tenkai::agent('ws://127.0.0.1:1')") const {
    LaunchRequest made;
    made.command = {"Rscript", "-e", call};
    made.folder = folder;
    return made;
  }
  void launch(const LaunchRequest& made) {
    plugin->start(made, [](const Result<Plugin::Jobs>&) {});
  }
  std::string offers() {
    for (int i = 0; i < 600 && !fs::exists(folder + "/bring/offers.R"); ++i) {
      io.restart();
      io.run_for(std::chrono::milliseconds(100));
    }
    std::ifstream file(folder + "/bring/offers.R");
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  std::string folder;
  asio::io_context io{1};
  std::vector<LaunchRequest> started;
  std::unique_ptr<OfferingPlugin> plugin;
};

}  // namespace

TEST_CASE("a launch is told where its jobs find tenkai, and waits for nothing") {
  World world;

  world.launch(world.request());

  REQUIRE(world.started.size() == 1);
  std::string file = world.started[0].option("launch.bring");
  CHECK(file == world.folder + "/bring/in_job.R");
  CHECK(fs::exists(file));
  CHECK_FALSE(fs::exists(world.folder + "/bring/offers.R"));
  CHECK(world.offers().starts_with("list(system='Linux "));
  struct stat found {};
  REQUIRE(::stat((world.folder + "/bring/program.tar.gz").c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
}

TEST_CASE("what cannot be packed is told to the jobs") {
  ::setenv("TENKAI_BRING_PROGRAM", "/no such program", 1);
  World world;

  world.launch(world.request());

  std::string offers = world.offers();
  ::unsetenv("TENKAI_BRING_PROGRAM");
  CHECK(offers.starts_with("list(no='it could not be packed on the machine of the session"));
  CHECK(offers.find("no such program") != offers.npos);
}

TEST_CASE("a session packs once") {
  World world;
  world.launch(world.request());
  world.offers();
  fs::remove(world.folder + "/bring/offers.R");

  world.launch(world.request());
  world.io.restart();
  world.io.run_for(std::chrono::milliseconds(200));

  CHECK_FALSE(fs::exists(world.folder + "/bring/offers.R"));
  CHECK_FALSE(world.started[1].option("launch.bring").empty());
}

TEST_CASE("nothing is offered to who forbids it, nor to workers of others") {
  World world;
  LaunchRequest forbidden = world.request();
  forbidden.options["bring"] = {"0"};

  world.launch(forbidden);
  world.launch(world.request("crew::crew_worker()"));

  CHECK_FALSE(fs::exists(world.folder + "/bring"));
  REQUIRE(world.started.size() == 2);
  for (const LaunchRequest& each : world.started) CHECK(each.options.empty());
}

TEST_CASE("where nothing can be put into the folder, jobs are submitted all the same") {
  World world;
  std::ofstream(world.folder + "/bring") << "a file";

  world.launch(world.request());

  REQUIRE(world.started.size() == 1);
  CHECK(world.started[0].option("launch.bring").empty());
}

TEST_CASE("what is only shown is shown as it would be submitted") {
  World world;
  CHECK(world.plugin->render(world.request())->text == world.folder + "/bring/in_job.R");
  CHECK_FALSE(fs::exists(world.folder + "/bring"));
}
