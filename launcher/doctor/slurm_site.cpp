#include "launcher/doctor/slurm_site.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "launcher/profile/value.h"

namespace tenkai::doctor {
namespace {

constexpr std::uint64_t mega = 1024 * 1024;

// Digits at the front: "4+" is 4.
std::uint64_t first_number(std::string_view text) {
  std::size_t end = text.find_first_not_of("0123456789");
  return to_number<std::uint64_t>(text.substr(0, end)).value_or(0);
}

}  // namespace

std::string SlurmPartition::field(std::string_view key) const {
  auto found = fields.find(key);
  return found == fields.end() ? "" : found->second;
}

std::optional<std::chrono::seconds> SlurmPartition::most_time() const {
  return parse_time_limit(field("MaxTime"));
}

std::vector<SlurmPartition> parse_partitions(std::string_view text) {
  std::vector<SlurmPartition> partitions;
  for (std::string_view line : split(text, '\n')) {
    if (!line.starts_with("PartitionName=")) continue;
    SlurmPartition partition;
    for (std::string_view word : split(line, ' ')) {
      std::size_t equals = word.find('=');
      if (equals == word.npos) continue;
      partition.fields[std::string(word.substr(0, equals))] = std::string(word.substr(equals + 1));
    }
    partition.name = partition.field("PartitionName");
    partition.is_default = partition.field("Default") == "YES";
    partitions.push_back(std::move(partition));
  }
  return partitions;
}

bool SlurmNodes::is_usable() const {
  std::string_view word = std::string_view(state).substr(0, state.find_first_of("*~#!%$@^-+"));
  // Off to save power (~) is no fault; silent (*) is one.
  if (state.find('*') != std::string::npos) return false;
  constexpr std::array<std::string_view, 11> good = {"idle",       "mix",      "alloc",  "comp",
                                                     "resv",       "plnd",     "mixed",  "allocated",
                                                     "completing", "reserved", "planned"};
  return std::ranges::find(good, word) != good.end();
}

std::vector<SlurmNodes> parse_nodes(std::string_view text) {
  std::vector<SlurmNodes> nodes;
  for (std::string_view line : split(text, '\n')) {
    std::vector<std::string_view> fields = split(line, '|');
    if (fields.size() < 7) continue;
    SlurmNodes each;
    each.partition = trim(fields[0]);
    each.state = trim(fields[1]);
    each.count = first_number(fields[2]);
    each.processors = first_number(fields[3]);
    each.memory = first_number(fields[4]) * mega;
    each.gres = trim(fields[5]);
    each.reason = trim(fields[6]);
    if (each.count > 0) nodes.push_back(std::move(each));
  }
  return nodes;
}

std::map<std::string, std::string> parse_slurm_config(std::string_view text) {
  std::map<std::string, std::string> config;
  for (std::string_view line : split(text, '\n')) {
    std::size_t equals = line.find('=');
    if (equals == line.npos) continue;
    config[std::string(trim(line.substr(0, equals)))] = std::string(trim(line.substr(equals + 1)));
  }
  return config;
}

std::vector<SlurmAssociation> parse_associations(std::string_view text) {
  std::vector<SlurmAssociation> associations;
  for (std::string_view line : split(text, '\n')) {
    std::vector<std::string_view> fields = split(line, '|');
    if (fields.size() < 5 || trim(fields[0]).empty()) continue;
    SlurmAssociation each;
    each.account = trim(fields[0]);
    each.partition = trim(fields[1]);
    for (std::string_view qos : split(trim(fields[2]), ','))
      if (!qos.empty()) each.qos.emplace_back(qos);
    for (std::string_view limit : {fields[3], fields[4]}) {
      auto most = to_number<std::uint64_t>(trim(limit));
      if (most && (!each.most_jobs || *most < *each.most_jobs)) each.most_jobs = most;
    }
    associations.push_back(std::move(each));
  }
  return associations;
}

int slurm_version(std::string_view text) {
  std::size_t digit = text.find_first_of("0123456789");
  if (digit == text.npos) return 0;
  std::vector<std::string_view> parts = split(text.substr(digit), '.');
  if (parts.size() < 2) return 0;
  return static_cast<int>(first_number(parts[0]) * 100 + first_number(parts[1]));
}

}  // namespace tenkai::doctor
