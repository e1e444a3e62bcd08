// Where something is written in a file of profiles, and what is wrong there.
#pragma once

#include <string>
#include <vector>

namespace tenkai {

// Lines and columns count from 1; columns count bytes, as compilers do.
struct Position {
  int line = 1;
  int column = 1;

  bool operator==(const Position&) const = default;
};

struct Place {
  std::string file;
  Position at;

  bool operator==(const Place&) const = default;
};

// "tenkai.yaml:3:5"
inline std::string to_string(const Place& place) {
  return place.file + ":" + std::to_string(place.at.line) + ":" + std::to_string(place.at.column);
}

// What is wrong and what to do, in one sentence. Many are collected before they are
// told, so that a file is mended in one go.
struct Problem {
  Place place;
  std::string message;

  bool operator==(const Problem&) const = default;
};
using Problems = std::vector<Problem>;

inline std::string to_string(const Problem& problem) {
  return to_string(problem.place) + ": " + problem.message;
}

// By place, each once: what is wrong in a profile is wrong in all that inherit it.
void sort_problems(Problems& problems);

}  // namespace tenkai
