#include "launcher/profile/enlarge.h"

#include <cstdint>

#include "tests/catch.h"

using namespace tenkai;

namespace {

std::string memory(const std::string& text, std::uint32_t percent = 200, std::uint8_t steps = 1) {
  Result<Enlarged> enlarged = enlarge({{"slurm.mem", {text}}}, {steps, 0}, {percent, 100});
  return enlarged ? enlarged->options.at("slurm.mem").front() : enlarged.error().message;
}

std::string time(const std::string& text, std::uint32_t percent = 200, std::uint8_t steps = 1) {
  Result<Enlarged> enlarged = enlarge({{"slurm.time", {text}}}, {0, steps}, {100, percent});
  return enlarged ? enlarged->options.at("slurm.time").front() : enlarged.error().message;
}

}  // namespace

TEST_CASE("memory is multiplied in its own unit, or the next smaller one that will do") {
  CHECK(memory("2G") == "4G");
  CHECK(memory("2GB") == "4GB");
  CHECK(memory("500M") == "1000M");
  CHECK(memory("4000") == "8000");
  CHECK(memory("16G", 150) == "24G");
  CHECK(memory("3G", 150) == "4608M");
  CHECK(memory("1T", 150) == "1536G");
  CHECK(memory("1GB", 125) == "1280MB");
  CHECK(memory("3K", 150) == "5K");
  CHECK(memory("3", 150) == "5");
  CHECK(memory("1G", 105) == "1101005K");
}

TEST_CASE("each step multiplies again") {
  CHECK(memory("2G", 200, 3) == "16G");
  CHECK(memory("1G", 150, 2) == "2304M");
  CHECK(memory("1M", 200, max_steps) == "256M");
  CHECK(time("30", 200, 2) == "2:00:00");
}

TEST_CASE("memory that cannot be multiplied is refused with the reason") {
  CHECK(memory("0") == "cannot ask for more than slurm.mem: 0, which is no amount; write one, such as 4G");
  CHECK(memory("0G").find("is no amount") != std::string::npos);
  CHECK(memory("much").find("is no amount") != std::string::npos);
  CHECK(memory("").find("is no amount") != std::string::npos);
  CHECK(memory("99999999999999999999G").find("is no amount") != std::string::npos);
  CHECK(memory("999999999999G") ==
        "cannot ask for more than slurm.mem: 999999999999G, that would be beyond all limits");
  CHECK(memory("999999999999T", 150).find("beyond all limits") != std::string::npos);
  CHECK(memory("999999999999T", 1600, max_steps).find("beyond all limits") != std::string::npos);
}

TEST_CASE("time is multiplied in every form that Slurm knows") {
  CHECK(time("90") == "3:00:00");
  CHECK(time("0:30") == "0:01:00");
  CHECK(time("90:30") == "3:01:00");
  CHECK(time("1:30:00") == "3:00:00");
  CHECK(time("12:00:00") == "1-00:00:00");
  CHECK(time("2-12") == "5-00:00:00");
  CHECK(time("2-12:30") == "5-01:00:00");
  CHECK(time("1-01:00:01", 150) == "1-13:30:02");
  CHECK(time("0:01", 150) == "0:00:02");
}

TEST_CASE("time that cannot be multiplied is refused with the reason") {
  CHECK(time("UNLIMITED") ==
        "cannot ask for more than slurm.time: UNLIMITED, which has no limit; write one, such as 2:00:00");
  CHECK(time("INFINITE").find("has no limit") != std::string::npos);
  CHECK(time("0").find("has no limit") != std::string::npos);
  CHECK(time("soon").find("has no limit") != std::string::npos);
  CHECK(time("3000-00") == "cannot ask for more than slurm.time: 3000-00, that would be beyond all limits");
  CHECK(time("999999-999999:999999:999999", 1600, max_steps).find("beyond all limits") != std::string::npos);
}

TEST_CASE("what is enlarged is said in words, and all else stays as it is") {
  Deployment::Options options{
      {"slurm.mem", {"2G"}},
      {"limits.memory", {"1G"}},
      {"slurm.time", {"1:00:00"}},
      {"slurm.options", {"--exclusive", "--mem-bind=local", "--time-min=5", "--tmp=4G"}},
      {"slurm.partition", {"long"}}};
  Result<Enlarged> both = enlarge(options, {1, 2}, {200, 150});
  REQUIRE(both);
  CHECK(both->words == "mem=4G, memory=2G, time=2:15:00");
  options["slurm.mem"] = {"4G"};
  options["limits.memory"] = {"2G"};
  options["slurm.time"] = {"2:15:00"};
  CHECK(both->options == options);

  Result<Enlarged> usual = enlarge(options, {}, {200, 150});
  REQUIRE(usual);
  CHECK(usual->options == options);
  CHECK(usual->words.empty());

  Result<Enlarged> cores = enlarge({{"slurm.mem-per-cpu", {"1G"}}}, {1, 0}, {200, 100});
  REQUIRE(cores);
  CHECK(cores->words == "mem-per-cpu=2G");
}

TEST_CASE("where nothing was asked for there is nothing to enlarge") {
  auto refusal = [](const Deployment::Options& options, Size size) {
    Result<Enlarged> enlarged = enlarge(options, size, {200, 200});
    return enlarged ? "enlarged" : enlarged.error().message;
  };
  CHECK(refusal({{"slurm.time", {"60"}}}, {1, 0}) ==
        "cannot ask for more memory, because none was asked for; say slurm.mem");
  CHECK(refusal({{"slurm.mem", {"1G"}}}, {1, 1}) ==
        "cannot ask for more time, because none was asked for; say slurm.time");
  CHECK(refusal({{"slurm.mem", {"1G"}}, {"slurm.options", {"--exclusive", "--mem=2G"}}}, {1, 0}) ==
        "cannot ask for more mem while slurm.options say '--mem=2G'; say it as slurm.mem");
  CHECK(refusal({{"slurm.time", {"60"}}, {"slurm.options", {"-t", "60"}}}, {0, 1}) ==
        "cannot ask for more time while slurm.options say '-t'; say it as slurm.time");
}

TEST_CASE("a step of the session's own job cannot have more than the job has") {
  Deployment::Options options{{"slurm.allocation", {"1"}}, {"slurm.mem", {"1G"}}};
  CHECK(enlarge(options, {}, {200, 200}));
  Result<Enlarged> enlarged = enlarge(options, {1, 0}, {200, 200});
  REQUIRE_FALSE(enlarged);
  CHECK(enlarged.error().message ==
        "daemons are steps of the job in which this session is, and it has no more than it has; submit the "
        "session with more");
}

TEST_CASE("nodes are left out beside those that are left out already, each once") {
  CHECK(excluding({}, {}).empty());
  Deployment::Options one = excluding({{"slurm.mem", {"1G"}}}, {"n3"});
  CHECK(one == Deployment::Options{{"slurm.mem", {"1G"}}, {"launch.exclude", {"n3"}}});
  CHECK(excluding(one, {"n4", "n3", "n4", ""}).at("launch.exclude") == std::vector<std::string>{"n3,n4"});
}
