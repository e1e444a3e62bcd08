// The time of day is set while a session lives. Who is in stays in, because only
// the clock that nobody sets is asked for how long; the dates of certificates count
// when somebody comes in.
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/catch.h"
#include "tests/system/siege.h"

using namespace tenkai;
using namespace tenkai::test;
using namespace std::chrono_literals;

// A sanitizer must be the first library that a program loads, and takes no other.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {

// The time of day of the programs that have its environment.
class TimeOfDay {
 public:
  TimeOfDay() : file_(::memfd_create("clock", MFD_CLOEXEC)) { set(0s); }
  void set(std::chrono::seconds step) {
    std::int64_t seconds = step.count();
    REQUIRE(::pwrite(file_.get(), &seconds, sizeof seconds, 0) == sizeof seconds);
  }
  std::vector<std::pair<std::string, std::string>> environment() const {
    std::string file = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(file_.get());
    return {{"LD_PRELOAD", TENKAI_CLOCK_STEP}, {"TENKAI_CLOCK_STEP", file}};
  }

 private:
  Descriptor file_;
};

constexpr std::chrono::hours day{24};

std::string refusal_of(Siege& siege, const TimeOfDay& time) {
  RealAgent newcomer(siege.url(2), siege.credential(2), {}, time.environment());
  return thrown([&] { newcomer.greet(); });
}

}  // namespace

TEST_CASE("setting the clock by a day, forward or back, ends nothing that is under way", "[T20]") {
  TimeOfDay time;
  Siege siege({"tls+tcp://127.0.0.1:0", "wss://127.0.0.1:0/2"}, "", time.environment());
  siege.dispatcher->submit(1, "with a minute to go", 60000);
  Frame task = siege.honest->task();

  for (std::chrono::hours step : {day, -day, 400 * day, 0 * day}) {
    time.set(step);
    CHECK(siege.dispatcher->session.is_silent(50ms));
    CHECK(siege.dispatcher->status()[1][5] == "busy");
  }
  siege.honest->finish(task, "value");

  CHECK(view_of(siege.dispatcher->resolved().payload) == "value");
  time.set(day);
  siege.while_it_works([&] {
    std::this_thread::sleep_for(50ms);
    time.set(-day);
    std::this_thread::sleep_for(50ms);
  });
  // The dispatcher has seen it: its log is of two days.
  siege.let_in(2);
  std::string log = siege.log.text();
  CHECK(log.substr(log.find("tenkai[") - 24, 10) != log.substr(log.rfind("tenkai[") - 24, 10));
}

TEST_CASE("when the certificate has run out those who are in go on, and newcomers hear why", "[T20]") {
  TimeOfDay time;
  Siege siege({"tls+tcp://127.0.0.1:0", "tls+tcp://127.0.0.1:0"}, "", time.environment());

  time.set(400 * day);
  CHECK(says(refusal_of(siege, time), "its certificate expired on 20"));
  siege.while_it_works([] {});
  time.set(-day);
  CHECK(says(refusal_of(siege, time), "its certificate is not valid before 20"));
  siege.while_it_works([] {});

  time.set(0s);
  CHECK(refusal_of(siege, time) == "nothing");
}

#endif
