// A dispatcher that is attacked while an honest daemon works for it.
//
// What every attack of security.md must leave alone is asked at one place: a load
// of tasks through an honest agent finishes, correct; the dispatcher lives, has
// not grown, holds no more descriptors than before; and its log shows no secret.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tests/system/peer.h"

namespace tenkai::test {

// What a program writes to stderr, in a file that has no name.
class Log {
 public:
  Log();
  int descriptor() const { return file_.get(); }
  std::string text() const;
  std::size_t count(std::string_view part) const;

 private:
  Descriptor file_;
};

// Waits until it is true, and says whether it became so.
bool eventually(const std::function<bool()>& question, std::chrono::milliseconds limit = patience);
// What it throws; "nothing" where it does not.
std::string thrown(const std::function<void()>& action);
// Whether `text` has `part` in it; where not, the failing test shows both.
bool says(const std::string& text, std::string_view part);
// How many bytes come before the other end hangs up; throws where it does not in time.
std::size_t bytes_until_end(const TestPeer& peer, std::chrono::milliseconds limit = patience);
std::string text_until_end(const TestPeer& peer, std::chrono::milliseconds limit = patience);

// A real `tenkai agent` beside an R that the test plays.
class RealAgent {
 public:
  explicit RealAgent(const std::string& url, const std::string& credential = {},
                     std::vector<std::string> more = {},
                     std::vector<std::pair<std::string, std::string>> environment = {});
  ~RealAgent();
  RealAgent(const RealAgent&) = delete;
  RealAgent& operator=(const RealAgent&) = delete;

  void say_hello();
  // Until R is told that it is in; throws the reason where it is refused.
  void greet();
  Frame task();
  void finish(const Frame& task, std::string_view payload);
  Log log;
  TestPeer r;
  pid_t pid = -1;
  pid_t r_pid = -1;  // a process that stands for R's: it only has to be there
};

class Siege {
 public:
  // Slot 1, at the first of these URLs, is the honest agent's; the others are for
  // those who come with the test. `lines`: more of the setup.
  explicit Siege(const std::vector<std::string>& doors, const std::string& lines = {},
                 std::vector<std::pair<std::string, std::string>> environment = {});
  ~Siege();

  // The credential of a slot, from 1. Its secret may be in no log from now on.
  std::string credential(std::uint64_t slot);
  // That of a job: "2,3" are its slots.
  std::string job_credential(const std::string& slots, std::uint32_t ranks, std::uint32_t uses);
  std::uint16_t port(std::uint64_t slot) const;
  const std::string& url(std::uint64_t slot) const { return urls.at(slot - 1); }
  // The slot's credential for one who is let in; throws the reason where not.
  void let_in(std::uint64_t slot);

  // Runs the attack while tasks go to and fro, at least 100 of them, and checks
  // everything above. The attack must not talk to the session.
  void while_it_works(const std::function<void()>& attack);
  // The last part of it: what must hold after any attack.
  void check_log();

  Log log;
  std::unique_ptr<TestDispatcher> dispatcher;
  std::vector<std::string> urls;
  std::unique_ptr<RealAgent> honest;

 private:
  void remember(const std::string& line);
  void work();
  void one_round_trip();

  std::set<std::string> secrets_;
  std::atomic<bool> enough_{false};
  std::atomic<std::size_t> done_{0};
  std::uint64_t last_task_ = 1000000;
  std::string trouble_;
};

}  // namespace tenkai::test
