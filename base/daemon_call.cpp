#include "base/daemon_call.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>

#include "base/lines.h"
#include "base/r_call.h"
#include "base/text.h"

namespace tenkai {
namespace {

constexpr std::size_t max_value = 40;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name(std::string_view text) {
  return !text.empty() && (is_letter(text[0]) || text[0] == '.') && std::ranges::all_of(text, [](char c) {
    return is_letter(c) || is_digit(c) || c == '.' || c == '_';
  });
}

// No more than R needs to read it as a number: nothing can be called with these.
bool is_plain(std::string_view text) {
  if (text == "TRUE" || text == "FALSE" || text == "NA" || text == "NaN" || text == "Inf" || text == "-Inf")
    return true;
  std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || digits.size() > max_value || !is_digit(digits[0])) return false;
  double number = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  // R takes what is too large for Inf.
  bool is_number = error == std::errc() || error == std::errc::result_out_of_range;
  return is_number && end == digits.data() + digits.size();
}

}  // namespace

const std::string* DaemonOptions::find(std::string_view name) const {
  auto found = std::ranges::find_if(arguments, [name](const auto& each) { return each.first == name; });
  return found == arguments.end() ? nullptr : &found->second;
}

bool DaemonOptions::is_true(std::string_view name) const {
  const std::string* value = find(name);
  return value != nullptr && *value != "FALSE" && *value != "NA" && *value != "NaN" && *value != "0";
}

Autoexit DaemonOptions::autoexit() const {
  const std::string* value = find("autoexit");
  if (value == nullptr) return Autoexit::now;
  if (*value == "NA" || *value == "NaN") return Autoexit::finish;
  return *value == "FALSE" ? Autoexit::stay : Autoexit::now;
}

void DaemonOptions::add_missing(const std::vector<std::pair<std::string, std::string>>& others) {
  for (const auto& other : others)
    if (find(other.first) == nullptr) arguments.push_back(other);
}

Result<bool> read_daemon_field(std::string_view key, const std::string& value, DaemonOptions& options) {
  if (key == "tls") options.tls.push_back(value);
  if (key != "daemon") return key == "tls";
  std::string name;
  std::string argument;
  if (!split_pair(value, name, argument) || !is_name(name) || !is_plain(argument))
    return Error{"'" + printable(value, 80) +
                 "' is no argument of daemon() with a number, TRUE, FALSE or NA as its value"};
  options.arguments.emplace_back(std::move(name), std::move(argument));
  return true;
}

std::string to_lines(const DaemonOptions& options) {
  std::string lines;
  for (const auto& [name, value] : options.arguments) lines += line_of("daemon", name + "=" + value);
  for (const std::string& each : options.tls) lines += line_of("tls", each);
  return lines;
}

std::optional<RandomStream> parse_stream(std::string_view text) {
  RandomStream stream{};
  std::vector<std::string_view> fields = split(text, ',');
  if (fields.size() != stream.size()) return std::nullopt;
  for (std::size_t i = 0; i < stream.size(); ++i) {
    auto number = to_number<std::int32_t>(fields[i]);
    if (!number) return std::nullopt;
    stream[i] = *number;
  }
  return stream;
}

std::string to_text(const RandomStream& stream) {
  std::vector<std::string> numbers;
  for (std::int32_t number : stream) numbers.push_back(std::to_string(number));
  return join(numbers, ",");
}

std::string daemon_call(const std::string& url, const std::string& credential, const DaemonOptions& options,
                        const std::optional<RandomStream>& stream) {
  std::vector<RArgument> arguments;
  for (const auto& [name, value] : options.arguments) arguments.push_back({name, value});
  if (stream) arguments.push_back({"rs", "c(" + to_text(*stream) + ")"});
  return daemon_call(url, credential, options.tls, arguments);
}

}  // namespace tenkai
