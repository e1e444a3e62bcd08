// How this program was built, and with what.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tenkai {

struct BuildFacts {
  std::string version;
  std::string compiler;    // "GNU 12.2.0"
  std::string build_type;  // "Release"
  std::string sanitizers;  // mostly none
  // A name and a version; without the latter it was built without it.
  std::vector<std::pair<std::string, std::string>> libraries;
};

BuildFacts build_facts();

// A line each, and one JSON object with a line end.
std::string to_text(const BuildFacts& facts);
std::string to_json(const BuildFacts& facts);

}  // namespace tenkai
