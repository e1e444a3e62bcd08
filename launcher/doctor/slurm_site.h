// What a site's Slurm says of itself, read from the text of scontrol, sinfo and sacctmgr. What has not
// the shape that was asked for is passed over: sites wrap these programs.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenkai::doctor {

struct SlurmPartition {
  std::string name;
  bool is_default = false;
  std::map<std::string, std::string, std::less<>> fields;  // "MaxTime": "1-00:00:00"

  std::string field(std::string_view key) const;
  // The time that jobs may have; nothing: any.
  std::optional<std::chrono::seconds> most_time() const;
};
// `scontrol -o show partition`
std::vector<SlurmPartition> parse_partitions(std::string_view text);

// Nodes of a partition that are alike.
struct SlurmNodes {
  std::string partition;
  std::string state;  // "idle", "down*"
  std::uint64_t count = 0;
  std::uint64_t processors = 0;
  std::uint64_t memory = 0;  // bytes
  std::string gres;
  std::string reason;

  // Whether jobs run there, now or later.
  bool is_usable() const;
};
// `sinfo -h -e -o` with this format.
inline constexpr std::string_view nodes_format = "%R|%t|%D|%c|%m|%G|%E";
std::vector<SlurmNodes> parse_nodes(std::string_view text);

// `scontrol show config`
std::map<std::string, std::string> parse_slurm_config(std::string_view text);

// What a user may do in an account: `sacctmgr -nP show assoc` with this format.
struct SlurmAssociation {
  std::string account;
  std::string partition;  // empty: any
  std::vector<std::string> qos;
  std::optional<std::uint64_t> most_jobs;  // that may wait or run
};
inline constexpr std::string_view associations_format = "account,partition,qos,maxsubmit,grpsubmit";
std::vector<SlurmAssociation> parse_associations(std::string_view text);

// 22.05 of "slurm-wlm 22.05.8": 2205; 0 where none is there.
int slurm_version(std::string_view text);

}  // namespace tenkai::doctor
