#include "plugins/slurm/slurm_text.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace tenkai::slurm {
namespace {

struct StateWord {
  std::string_view word;
  std::string_view code;
  SlurmState state;
};

constexpr std::array state_words{
    StateWord{"PENDING", "PD", SlurmState::pending},
    StateWord{"CONFIGURING", "CF", SlurmState::pending},
    StateWord{"REQUEUED", "RQ", SlurmState::pending},
    StateWord{"REQUEUE_FED", "RF", SlurmState::pending},
    StateWord{"REQUEUE_HOLD", "RH", SlurmState::pending},
    StateWord{"RESV_DEL_HOLD", "RD", SlurmState::pending},
    StateWord{"SPECIAL_EXIT", "SE", SlurmState::pending},
    StateWord{"RUNNING", "R", SlurmState::running},
    StateWord{"SUSPENDED", "S", SlurmState::suspended},
    StateWord{"STOPPED", "ST", SlurmState::suspended},
    StateWord{"RESIZING", "RS", SlurmState::running},
    StateWord{"SIGNALING", "SI", SlurmState::running},
    StateWord{"COMPLETING", "CG", SlurmState::ending},
    StateWord{"STAGE_OUT", "SO", SlurmState::ending},
    StateWord{"COMPLETED", "CD", SlurmState::completed},
    StateWord{"FAILED", "F", SlurmState::failed},
    StateWord{"LAUNCH_FAILED", "LF", SlurmState::failed},
    StateWord{"TIMEOUT", "TO", SlurmState::time_limit},
    StateWord{"DEADLINE", "DL", SlurmState::time_limit},
    StateWord{"OUT_OF_MEMORY", "OOM", SlurmState::out_of_memory},
    StateWord{"NODE_FAIL", "NF", SlurmState::node_fail},
    StateWord{"BOOT_FAIL", "BF", SlurmState::node_fail},
    StateWord{"RECONFIG_FAIL", "RC", SlurmState::node_fail},
    StateWord{"PREEMPTED", "PR", SlurmState::preempted},
    StateWord{"CANCELLED", "CA", SlurmState::cancelled},
};

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

bool is_cluster_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

// "5", "5-9", "0-8:2" (every second one)
bool add_range(std::string_view text, TaskSet& into) {
  std::size_t colon = text.find(':');
  std::uint32_t step = 1;
  if (colon != text.npos) {
    std::optional<std::uint32_t> number = to_number<std::uint32_t>(text.substr(colon + 1));
    if (!number || *number == 0) return false;
    step = *number;
    text = text.substr(0, colon);
  }
  std::size_t dash = text.find('-');
  std::optional<std::uint32_t> first = to_number<std::uint32_t>(text.substr(0, dash));
  std::optional<std::uint32_t> last =
      dash == text.npos ? first : to_number<std::uint32_t>(text.substr(dash + 1));
  // No Slurm has arrays of more than four million elements.
  if (!first || !last || *last < *first || *last > 4'000'001) return false;
  if (step == 1) {
    into.ranges.emplace_back(*first, *last);
  } else {
    for (std::uint32_t task = *first; task <= *last; task += step) into.ranges.emplace_back(task, task);
  }
  return true;
}

// Behind the '_': "4", "[5-9%2]", "[0,2,4-6,...]".
std::optional<TaskSet> parse_tasks(std::string_view text) {
  TaskSet tasks;
  if (!text.starts_with('[')) {
    if (!is_digits(text) || !add_range(text, tasks)) return std::nullopt;
    return tasks;
  }
  text.remove_prefix(1);
  if (!text.ends_with(']')) {
    tasks.complete = false;
  } else {
    text.remove_suffix(1);
  }
  text = text.substr(0, text.find('%'));
  std::vector<std::string_view> pieces = split(text, ',');
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (add_range(pieces[i], tasks)) continue;
    // The rest has been cut: "..." or a piece of a number.
    bool is_cut = pieces[i].find("...") != pieces[i].npos || !tasks.complete;
    if (!is_cut || i + 1 != pieces.size()) return std::nullopt;
    tasks.complete = false;
  }
  return tasks;
}

// "123", "123_4", "123_[5-9]"; steps and parts of heterogeneous jobs are none of ours.
bool read_id(std::string_view text, JobLine& into) {
  std::size_t underscore = text.find('_');
  std::string_view id = text.substr(0, underscore);
  if (!is_digits(id)) return false;
  into.id = std::string(id);
  if (underscore == text.npos) return true;
  std::optional<TaskSet> tasks = parse_tasks(text.substr(underscore + 1));
  if (!tasks) return false;
  into.tasks = std::move(*tasks);
  return true;
}

// At most `count` pieces; the last one keeps what separators there are in it.
std::vector<std::string_view> fields(std::string_view line, std::size_t count) {
  std::vector<std::string_view> found;
  while (found.size() + 1 < count) {
    std::size_t bar = line.find('|');
    if (bar == line.npos) break;
    found.push_back(line.substr(0, bar));
    line.remove_prefix(bar + 1);
  }
  found.push_back(line);
  return found;
}

void read_state(std::string_view word, JobLine& into) {
  into.word = std::string(trim(word));
  into.state = slurm_state(word);
}

bool has_cluster(const SubmittedJob& job) { return !job.cluster.empty(); }

std::string node_text(std::string_view text) {
  text = trim(text);
  return text.starts_with('(') || text == "None assigned" ? std::string() : std::string(text);
}

// Above the jobs of each cluster, where squeue was asked about several.
constexpr std::string_view cluster_heading = "CLUSTER: ";

}  // namespace

std::optional<SubmittedJob> submitted_job(std::string_view output) {
  std::vector<SubmittedJob> found;
  for (std::string_view line : split(output, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    std::size_t semicolon = line.find(';');
    std::string_view id = line.substr(0, semicolon);
    if (!is_digits(id) || id.size() > 10) continue;
    std::string_view cluster = semicolon == line.npos ? std::string_view() : line.substr(semicolon + 1);
    if (semicolon != line.npos && !is_cluster_name(cluster)) continue;
    SubmittedJob job{std::string(id), std::string(cluster)};
    if (std::find(found.begin(), found.end(), job) == found.end()) found.push_back(std::move(job));
  }
  // No banner has a number and a cluster.
  bool any_has_cluster = std::any_of(found.begin(), found.end(), has_cluster);
  if (any_has_cluster) std::erase_if(found, [](const SubmittedJob& job) { return !has_cluster(job); });
  if (found.size() != 1) return std::nullopt;
  return found.front();
}

bool TaskSet::holds(std::uint32_t task) const {
  return std::any_of(ranges.begin(), ranges.end(),
                     [task](const auto& range) { return range.first <= task && task <= range.second; });
}

SlurmState slurm_state(std::string_view word) {
  word = trim(word);
  word = word.substr(0, word.find_first_of(" +"));
  for (const StateWord& each : state_words) {
    if (word == each.word || word == each.code) return each.state;
  }
  return SlurmState::other;
}

bool is_over(SlurmState state) { return state >= SlurmState::completed && state != SlurmState::other; }

std::vector<JobLine> parse_queue(std::string_view output) {
  std::vector<JobLine> found;
  std::string_view cluster;
  for (std::string_view line : split(output, '\n')) {
    if (line.starts_with(cluster_heading)) {
      cluster = trim(line.substr(cluster_heading.size()));
      if (!is_cluster_name(cluster)) cluster = {};
    }
    std::vector<std::string_view> parts = fields(line, 5);
    JobLine job;
    if (parts.size() != 5 || !read_id(trim(parts[0]), job)) continue;
    read_state(parts[1], job);
    job.reason = std::string(trim(parts[2]));
    if (job.reason == "None" || job.reason == "(null)") job.reason.clear();
    job.nodes = node_text(parts[3]);
    job.job_tag = std::string(trim(parts[4]));
    job.cluster = std::string(cluster);
    found.push_back(std::move(job));
  }
  return found;
}

std::vector<JobLine> parse_accounts(std::string_view output) {
  std::vector<JobLine> found;
  for (std::string_view line : split(output, '\n')) {
    std::vector<std::string_view> parts = fields(line, 4);
    JobLine job;
    if (parts.size() != 4 || !read_id(trim(parts[0]), job)) continue;
    read_state(parts[1], job);
    std::vector<std::string_view> how = split(trim(parts[2]), ':');
    if (how.size() == 2) {
      job.exit_code = to_number<int>(how[0]);
      job.signal = to_number<int>(how[1]);
      if (job.signal == 0) job.signal.reset();
    }
    job.nodes = node_text(parts[3]);
    found.push_back(std::move(job));
  }
  return found;
}

std::optional<JobName> parse_job_name(std::string_view text) {
  std::size_t mark = text.find_first_of("_.");
  if (mark == text.npos || !is_digits(text.substr(0, mark)) || !is_digits(text.substr(mark + 1)))
    return std::nullopt;
  std::optional<std::uint32_t> number = to_number<std::uint32_t>(text.substr(mark + 1));
  if (!number) return std::nullopt;
  return JobName{std::string(text.substr(0, mark)), *number, text[mark] == '.'};
}

std::string first_node(std::string_view nodes) {
  std::size_t bracket = nodes.find('[');
  std::size_t comma = nodes.find(',');
  if (bracket == nodes.npos || comma < bracket) return std::string(nodes.substr(0, comma));
  std::string_view numbers = nodes.substr(bracket + 1);
  return std::string(nodes.substr(0, bracket)) + std::string(numbers.substr(0, numbers.find_first_of(",-]")));
}

}  // namespace tenkai::slurm
