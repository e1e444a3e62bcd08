// What an R says of itself, of the package in it and of the program that this finds: asked here, on
// another machine, or in a job.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "launcher/doctor/check.h"
#include "launcher/doctor/question.h"

namespace tenkai::doctor {

// An R expression that says it, in lines "@key=value" between whatever else is written.
std::string r_report_call();

// The last value of each key.
std::map<std::string, std::string> read_report(std::string_view output);

struct RReport {
  std::string id;       // of its checks: "r", "ssh.r"
  std::string rscript;  // what was to be run
  std::string where;    // " on node1"; empty: here
  Answer answer;
  std::chrono::milliseconds limit{0};
  // Whether this R is one that daemons will run in: else what is missing here may be there, and `hint`
  // says who tells.
  bool counts = true;
  std::string hint;
  // Whether a launch brings the package and the program along, where they are missing.
  bool is_brought = false;
  std::string own_version;  // of the program that asks
  // Sites: how the package is installed there; empty: as here.
  std::string install;
};
// r, r.version, r.start, package, package.version, package.loads, package.program; those that follow
// from another that is wrong are left out.
Checks judge_r(const RReport& report);

}  // namespace tenkai::doctor
