#include "plugins/slurm/pending_reason.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::slurm;

namespace {

std::string as_markdown() {
  std::string text = "| Slurm's word | | because | what to do |\n|---|---|---|---|\n";
  for (const PendingReason& each : pending_reasons()) {
    text += "| `" + std::string(each.word) + "` | " + std::string(name_of(each.outlook)) + " | " +
            std::string(each.meaning) + " | " + std::string(each.advice) + " |\n";
  }
  return text;
}

const PendingReason& known(const std::string& reason) {
  INFO(reason);
  const PendingReason* found = find_pending_reason(reason);
  REQUIRE(found != nullptr);
  return *found;
}

}  // namespace

TEST_CASE("docs/slurm.md shows the reasons for which jobs wait") {
  std::ifstream file(std::filesystem::path(TENKAI_TEST_DATA) / ".." / ".." / "docs" / "slurm.md",
                     std::ios::binary);
  REQUIRE(file);
  std::string document{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};

  // If this fails: put this table there.
  CHECK_THAT(document, saying("\n" + as_markdown() + "\n"));
}

TEST_CASE("a reason passes, waits for somebody, or never passes") {
  for (const char* word : {"Priority", "Resources", "BeginTime", "Dependency", "Licenses", "Reservation",
                           "JobArrayTaskLimit", "QOSMaxJobsPerUserLimit", "AssocGrpJobsLimit"})
    CHECK(known(word).outlook == Outlook::passes);
  for (const char* word :
       {"PartitionDown",
        "JobHeldUser",
        "JobHeldAdmin",
        "launch_failed_requeued_held",
        "launch failed requeued held",
        "AssocGrpCpuLimit",
        "AssocGrpCPUMinutesLimit",
        "AssocGrpCPURunMinutesLimit",
        "QOSGrpGRES",
        "AssocGrpWallLimit",
        "ReqNodeNotAvail",
        "ReqNodeNotAvail,_UnavailableNodes:n[1-3]",
        "ReqNodeNotAvail, Reserved for maintenance",
        "ReqNodeNotAvail(Unavailable:n1)",
        "PartitionConfig",
        "PartitionNodeLimit",
        "QOSMaxCpuPerUserLimit",
        "QOSMaxGRESPerUser",
        "MaxMemoryPerAccount",
        "InvalidAccount",
        "InvalidQOS",
        "Nodes_required_for_job_are_DOWN,_DRAINED_or_reserved_for_jobs_in_higher_priority_partitions"})
    CHECK(known(word).outlook == Outlook::somebody);
  for (const char* word :
       {"PartitionTimeLimit", "QOSMaxWallDurationPerJobLimit", "AssocMaxWallDurationPerJobLimit",
        "BadConstraints", "AccountNotAllowed", "QOSNotAllowed", "DependencyNeverSatisfied",
        "QOSMaxCpuPerJobLimit", "AssocMaxNodePerJobLimit", "AssocMaxGRESMinutesPerJob", "QOSMaxMemoryPerNode",
        "QOSMinCpuNotSatisfied", "MaxMemPerLimit"})
    CHECK(known(word).outlook == Outlook::never);
}

TEST_CASE("what does not pass by itself is said with what to do, and what is not known as Slurm says it") {
  for (const PendingReason& each : pending_reasons()) {
    INFO(each.word);
    CHECK_FALSE(each.meaning.empty());
    CHECK(each.advice.empty() == (each.outlook == Outlook::passes));
    CHECK(each.advice.find('|') == std::string_view::npos);
  }

  CHECK(reason_in_words("PartitionDown", "5_0") ==
        "PartitionDown, its partition is down; name another slurm.partition");
  CHECK(reason_in_words("JobHeldUser", "5_0") ==
        "JobHeldUser, it is held by you; 'scontrol release 5_0' lets it go");
  for (const char* word : {"SomethingNew", "", "Priority2", "PartitionTime", "(None)"})
    CHECK(find_pending_reason(word) == nullptr);
  CHECK(reason_in_words("Something\x1bNew", "5_0").find('\x1b') == std::string::npos);
  CHECK(reason_in_words("SomethingNew", "5_0") == "SomethingNew");
  CHECK(find_pending_reason(std::string(100'000, '*')) == nullptr);
}

TEST_CASE("each row of the table can be reached") {
  for (const PendingReason& each : pending_reasons()) {
    std::string word(each.word);
    for (std::size_t at; (at = word.find('*')) != word.npos;) word.replace(at, 1, "X");
    INFO(each.word);
    CHECK(find_pending_reason(word) == &each);
  }
}
