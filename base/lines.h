// Lines of text between our programs, and between them and R: settings, requests, launch
// manifests, what a status says. There are two kinds:
//
//   key=value          a field; what can be said more than once stands in several
//   text<TAB>text      a row
//
// Values are escaped, so any text goes into them. In R: lines_of() and fields_of().
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tenkai {

// A value that is to stand in one line, between tabs: '%', line ends, carriage
// returns and tabs become %25, %0A, %0D and %09. And back; what is no such escape stays.
std::string escape_line(std::string_view value);
std::string unescape_line(std::string_view value);

// "key=value\n"
std::string line_of(std::string_view key, std::string_view value);

// Takes one field; its error ends the reading.
using ReadField = std::function<Result<Done>(std::string_view key, const std::string& value)>;

// Calls `read` with the fields of `text` in their order, the values unescaped. Empty lines are
// left out; one without '=' is a key with an empty value.
Result<Done> read_lines(std::string_view text, const ReadField& read);

// "name=value" as it stands in a value; false where there is no name.
bool split_pair(std::string_view text, std::string& name, std::string& value);

// "a\tb\n"
std::string row_of(std::initializer_list<std::string_view> values);
// The values of one row, unescaped.
std::vector<std::string> read_row(std::string_view line);

}  // namespace tenkai
