// Commands that are asked what they know, all at once, each with a time limit.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "launcher/doctor/check.h"

namespace tenkai::doctor {

struct Answer {
  bool missing = false;    // there is no such command
  std::string unstarted;   // why there is one and it could not be started, or empty
  bool timed_out = false;  // it was ended by us
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string output;
  std::string errors;  // its last lines
  std::chrono::milliseconds took{0};
  bool ends_early = false;  // after it, nothing could be asked that was to be asked next

  bool is_good() const { return exit_code == 0 && !timed_out; }
};

// Why an answer is not good, in words: "gives no answer within 5 s", "is not found", "cannot be
// started (Permission denied)", "ends with exit code 1 (the last line of what it wrote)".
std::string trouble_of(const Answer& answer, std::chrono::milliseconds limit);
// The same where a shell has not found the command (exit code 127): "is not found (…)".
std::string not_found(const Answer& answer);

struct Question {
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, std::string>> environment = {};
  std::string input = {};
  std::chrono::milliseconds limit{5000};
  // Only a few of these are asked at a time: a machine that many connect to drops some.
  bool in_turn = false;
  // What is asked next, with the answer to this; its answer then stands in place of it. Nothing:
  // this was all.
  std::function<std::optional<Question>(const Answer&)> next = {};
};

// The answers, in the order of the questions.
std::vector<Answer> ask_all(const std::vector<Question>& questions);

// What one topic wants to know, and what it makes of the answers.
struct Topic {
  std::vector<Question> questions;
  std::function<Checks(const std::vector<Answer>&)> judge;
};

}  // namespace tenkai::doctor
