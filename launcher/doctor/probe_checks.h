// A small job of a profile that says what it finds where daemons would run, and tries to come back by
// each address of this machine.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/doctor/check.h"
#include "wire/own_addresses.h"

namespace tenkai::doctor {

struct ProbePlan {
  std::string word;                    // that the job says first: others may call, too
  std::vector<std::string> addresses;  // by which it tries to come back
  std::uint16_t port = 0;
  std::string folder;  // ours, where it leaves what it found if nothing else works
  std::string rscript;
};
// What the job runs: a script for /bin/sh.
std::string probe_script(const ProbePlan& plan);

// What came by a connection: "WORD ADDRESS", then the report, and "@over=yes" as its last line.
struct ProbeCall {
  std::string address;
  std::string report;
};
// Nothing of it where it is no whole call of this probe.
bool read_probe_call(std::string_view text, std::string_view word, ProbeCall& call);

struct ProbeOutcome {
  ProbePlan plan;
  std::string dialled;  // the address by which daemons would be told to connect
  std::string launcher;
  std::vector<OwnAddress> own;
  std::vector<ProbeCall> calls;  // in the order in which they came
  std::string left;              // what the job has left in the folder; empty: nothing
  std::string trouble;           // what the one that launched it said
  bool has_ended = false;        // that one has
  std::chrono::seconds limit{0};
  double begun = 0, ended = 0;  // our clock, in seconds
  std::string own_version;
};
// probe.job, probe.reach, probe.url, probe.folder, probe.clock, probe.temporary, probe.processors,
// probe.memory, probe.r and what follows from it.
Checks judge_probe(const ProbeOutcome& outcome);

}  // namespace tenkai::doctor
