// Which nodes fail the jobs that land on them.
//
// One bad node is always free, so it takes job after job. After two launches that
// failed on it, for a reason that can lie with the node, it is left out of what is
// submitted later; but where no other node does better, it is not the node's fault.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace tenkai::slurm {

class BadNodes {
 public:
  static constexpr int limit = 2;
  // More than so many are no bad nodes, but a bad day.
  static constexpr std::size_t max_excluded = 16;

  // A job has got on well there: R was found, and it lived.
  void on_good(const std::string& node) {
    if (node.empty()) return;
    good_.insert(node);
    failures_.erase(node);
  }

  // A job has failed there. `certain`: Slurm itself blames the node.
  void on_bad(const std::string& node, bool certain) {
    if (node.empty()) return;
    good_.erase(node);
    Count& count = failures_[node];
    ++count.failures;
    count.certain = count.certain || certain;
  }

  bool is_excluded(const std::string& node) const {
    auto found = failures_.find(node);
    if (found == failures_.end() || found->second.failures < limit) return false;
    return found->second.certain || !good_.empty();
  }

  std::vector<std::string> excluded() const {
    std::vector<std::string> nodes;
    for (const auto& [node, count] : failures_) {
      if (is_excluded(node) && nodes.size() < max_excluded) nodes.push_back(node);
    }
    return nodes;
  }

 private:
  struct Count {
    int failures = 0;
    bool certain = false;
  };
  std::map<std::string, Count> failures_;
  std::set<std::string> good_;
};

}  // namespace tenkai::slurm
