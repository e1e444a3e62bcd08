#include "launcher/doctor/check.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/counted.h"
#include "base/lines.h"
#include "base/text.h"

namespace tenkai::doctor {
namespace {

// "1;31" is bold red.
std::string painted(std::string_view text, std::string_view paint, bool colour) {
  if (!colour) return std::string(text);
  return "\x1b[" + std::string(paint) + "m" + std::string(text) + "\x1b[0m";
}

std::string_view paint_of(State state) {
  switch (state) {
    case State::ok: return "32";
    case State::warning: return "33";
    case State::wrong: return "1;31";
    case State::skipped: return "2";
  }
  return "0";
}

std::size_t count_of(const Checks& checks, State state) {
  return static_cast<std::size_t>(
      std::ranges::count_if(checks, [state](const Check& each) { return each.state == state; }));
}

std::string padded(std::string_view text, std::size_t width) {
  return std::string(text) + std::string(text.size() < width ? width - text.size() : 0, ' ');
}

constexpr std::size_t most_of_a_sentence = 1000;

std::string summary_of(const Checks& checks) {
  std::size_t bad = count_of(checks, State::wrong);
  std::size_t odd = count_of(checks, State::warning);
  std::string text = counted(checks.size(), "check") + ": ";
  if (bad == 0 && odd == 0) text += "nothing is wrong";
  if (bad > 0) text += std::to_string(bad) + " wrong";
  if (odd > 0) text += (bad > 0 ? ", " : "") + counted(odd, "warning");
  if (std::size_t left = count_of(checks, State::skipped); left > 0)
    text += "; " + std::to_string(left) + " could not be known";
  return text;
}

}  // namespace

std::string_view name_of(State state) {
  switch (state) {
    case State::ok: return "ok";
    case State::warning: return "warning";
    case State::wrong: return "wrong";
    case State::skipped: return "skipped";
  }
  return "";
}

int exit_code_of(const Checks& checks) { return count_of(checks, State::wrong) == 0 ? 0 : 1; }

std::string lines_of(const Checks& checks, bool colour) {
  std::size_t width = 0;
  for (const Check& each : checks) width = std::max(width, each.id.size());
  std::string text;
  for (const Check& each : checks) {
    text += painted(padded(name_of(each.state), 9), paint_of(each.state), colour);
    text += padded(each.id, width + 2);
    text += printable(each.what + ": " + each.sentence, most_of_a_sentence) + "\n";
    if (!each.mend.empty())
      text += std::string(width + 11, ' ') + "mend: " + printable(each.mend, most_of_a_sentence) + "\n";
  }
  return text + summary_of(checks) + "\n";
}

std::string json_of(const Checks& checks) {
  boost::json::array list;
  for (const Check& each : checks) {
    auto text = [](const std::string& value) { return printable(value, most_of_a_sentence); };
    list.push_back({{"id", text(each.id)},
                    {"what", text(each.what)},
                    {"state", name_of(each.state)},
                    {"sentence", text(each.sentence)},
                    {"mend", text(each.mend)}});
  }
  boost::json::object all = {{"checks", std::move(list)},
                             {"wrong", count_of(checks, State::wrong)},
                             {"warnings", count_of(checks, State::warning)}};
  return boost::json::serialize(all) + "\n";
}

std::string rows_of(const Checks& checks) {
  std::string text;
  for (const Check& each : checks) {
    auto field = [](const std::string& value) { return printable(value, most_of_a_sentence); };
    text += row_of(
        {field(each.id), field(each.what), name_of(each.state), field(each.sentence), field(each.mend)});
  }
  return text;
}

}  // namespace tenkai::doctor
