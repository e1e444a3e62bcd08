#include "process/r_log.h"

#include "base/text.h"

namespace tenkai {
namespace {

bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

// R says it in the language of the user: what stays is who says it, and of what. It
// may break the line between the two. A start-up file may miss another package.
bool misses_package(std::string_view log) {
  std::string_view before;
  for (std::string_view line : split(log, '\n')) {
    if (has(line, "there is no package called") && has(line, "tenkai")) return true;
    bool names_it = has(line, "\xE2\x80\x98tenkai\xE2\x80\x99");
    if (names_it && (has(line, "loadNamespace(") || has(before, "loadNamespace("))) return true;
    before = line;
  }
  return false;
}

}  // namespace tenkai
