// What `tenkai doctor` has looked at, and what it thinks of it. A topic (R, Slurm, a host) turns what
// was found into checks; docs/doctor.md lists their ids.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenkai::doctor {

enum class State : std::uint8_t {
  ok,
  warning,  // it works, or may: worth a look before one waits
  wrong,    // daemons will not come like this
  skipped,  // it cannot be known from here, or there was nothing to look at
};
std::string_view name_of(State state);

struct Check {
  std::string id;    // "slurm.partition"
  std::string what;  // what was looked at: "partition gpu"
  State state = State::ok;
  std::string sentence;  // what was found
  std::string mend;      // a command, or what to change; empty where nothing is to be done

  bool operator==(const Check&) const = default;
};
using Checks = std::vector<Check>;

inline Check ok(std::string id, std::string what, std::string sentence) {
  return {std::move(id), std::move(what), State::ok, std::move(sentence), {}};
}
inline Check skipped(std::string id, std::string what, std::string why) {
  return {std::move(id), std::move(what), State::skipped, std::move(why), {}};
}
inline Check warning(std::string id, std::string what, std::string sentence, std::string mend) {
  return {std::move(id), std::move(what), State::warning, std::move(sentence), std::move(mend)};
}
inline Check wrong(std::string id, std::string what, std::string sentence, std::string mend) {
  return {std::move(id), std::move(what), State::wrong, std::move(sentence), std::move(mend)};
}

inline void add(Checks& to, Checks more) {
  for (Check& each : more) to.push_back(std::move(each));
}

// 0: nothing is wrong, 1: something is.
int exit_code_of(const Checks& checks);

// A line each, and the mending below it; a summary at the end.
std::string lines_of(const Checks& checks, bool colour);
// {"checks":[{"id":…,"what":…,"state":…,"sentence":…,"mend":…}],"wrong":0,"warnings":0}
std::string json_of(const Checks& checks);
// A row of base/lines.h each: id, what, state, sentence, mend.
std::string rows_of(const Checks& checks);

}  // namespace tenkai::doctor
