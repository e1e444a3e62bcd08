// Jobs as a plugin would hold them, for tests: submitted at noon.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "plugins/slurm/slurm_jobs.h"

namespace tenkai::slurm {

inline const SlurmTime noon = SlurmTime(std::chrono::hours(12));

inline JobPlace place_of(const std::string& id, std::uint32_t number, const std::string& job_tag = "t-1") {
  return {{id, number, false}, job_tag, ""};
}

inline SlurmJobs array_of(std::uint32_t count, const std::string& id = "5") {
  SlurmJobs jobs;
  for (std::uint32_t i = 0; i < count; ++i) jobs.add(noon, place_of(id, i), false);
  return jobs;
}

inline std::vector<JobLine> queue(const std::string& text) { return parse_queue(text); }

inline StatusFile started_on(const std::string& node, unsigned restart = 0) {
  return parse_status_file("started " + node + " " + std::to_string(restart) +
                           "\nready\nrscript /usr/bin/Rscript\n");
}

inline StatusFile exited(const std::string& node, int code) {
  return parse_status_file("started " + node + " 0\nready\nrscript /usr/bin/Rscript\nexit " +
                           std::to_string(code) + "\n");
}

}  // namespace tenkai::slurm
