#include "plugins/slurm/slurm_text.h"

#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::slurm;

TEST_CASE("the id of a job is found among a site's banners") {
  CHECK(submitted_job("123\n") == SubmittedJob{"123", ""});
  CHECK(submitted_job("123;alpha\n") == SubmittedJob{"123", "alpha"});
  CHECK(submitted_job("Welcome to cluster 7!\n------ 2026 ------\n4711\nHave fun\n") ==
        SubmittedJob{"4711", ""});
  CHECK(submitted_job("100\r\n") == SubmittedJob{"100", ""});
  CHECK_FALSE(submitted_job(""));
  CHECK_FALSE(submitted_job("Submitted batch job 123\n"));
  CHECK_FALSE(submitted_job("123;\n123;a b\n 123\n-5\n12345678901\n"));
}

TEST_CASE("a number that stands alone beside the id of a job is not taken for it") {
  CHECK_FALSE(submitted_job("4711\n42\n"));
  CHECK_FALSE(submitted_job("42\n4711\nHave fun\n"));
  CHECK(submitted_job("4711\n4711\n") == SubmittedJob{"4711", ""});
  CHECK(submitted_job("2026\n4711;alpha\n42\n") == SubmittedJob{"4711", "alpha"});
  CHECK_FALSE(submitted_job("4711;alpha\n42;beta\n"));
}

TEST_CASE("a line of squeue is read") {
  auto lines = parse_queue("123_4|RUNNING|None|n7|tenkai-gpu-ab-1\n124|PENDING|Priority||tenkai-cpu-ab-2\n");

  REQUIRE(lines.size() == 2);
  CHECK(lines[0].id == "123");
  CHECK(lines[0].tasks.holds(4));
  CHECK_FALSE(lines[0].tasks.holds(5));
  CHECK(lines[0].state == SlurmState::running);
  CHECK(lines[0].reason.empty());
  CHECK(lines[0].nodes == "n7");
  CHECK(lines[1].state == SlurmState::pending);
  CHECK(lines[1].reason == "Priority");
  CHECK_FALSE(lines[1].tasks.is_array());
  CHECK(lines[1].job_tag == "tenkai-cpu-ab-2");
}

TEST_CASE("all forms of the elements of an array are read") {
  auto tasks = [](const std::string& id) {
    auto lines = parse_queue(id + "|PENDING|Resources||x\n");
    return lines.empty() ? TaskSet{} : lines[0].tasks;
  };

  CHECK(tasks("1_[5-9%2]").ranges == std::vector<std::pair<std::uint32_t, std::uint32_t>>{{5, 9}});
  CHECK(tasks("1_[0,2,4-6]").ranges ==
        std::vector<std::pair<std::uint32_t, std::uint32_t>>{{0, 0}, {2, 2}, {4, 6}});
  CHECK(tasks("1_[0-8:4]").ranges ==
        std::vector<std::pair<std::uint32_t, std::uint32_t>>{{0, 0}, {4, 4}, {8, 8}});
  CHECK(tasks("1_[0,2,...]").holds(2));
  CHECK_FALSE(tasks("1_[0,2,...]").complete);
  CHECK_FALSE(tasks("1_[0,2,4,1").complete);
  CHECK(tasks("1_[0-3]").complete);
  CHECK_FALSE(tasks("1_[0-99999999999]").is_array());
}

TEST_CASE("what is no line of squeue is passed over") {
  CHECK(parse_queue("").empty());
  CHECK(parse_queue("CLUSTER: alpha\n\n").empty());
  CHECK(parse_queue("slurm_load_jobs error: Unable to contact\n").empty());
  CHECK(parse_queue("12+0|RUNNING|None|n1|x\n12_x|RUNNING|None|n1|x\n12_[a]|RUNNING|None|n1|x\nabc|R|||x\n")
            .empty());
  CHECK(parse_queue("1_2|R\n").empty());
}

TEST_CASE("a name with bars in it stays whole") {
  auto lines = parse_queue("5|PENDING|Priority||my|name\n");

  REQUIRE(lines.size() == 1);
  CHECK(lines[0].job_tag == "my|name");
}

TEST_CASE("states are known by word and by code, and the others are no end") {
  CHECK(slurm_state("TIMEOUT") == SlurmState::time_limit);
  CHECK(slurm_state("TO") == SlurmState::time_limit);
  CHECK(slurm_state("DEADLINE") == SlurmState::time_limit);
  CHECK(slurm_state("CANCELLED by 1000") == SlurmState::cancelled);
  CHECK(slurm_state("CANCELLED+") == SlurmState::cancelled);
  CHECK(slurm_state("BOOT_FAIL") == SlurmState::node_fail);
  CHECK(slurm_state("SOMETHING_NEW") == SlurmState::other);
  CHECK(slurm_state("") == SlurmState::other);
  for (const char* word :
       {"PENDING", "REQUEUED", "RUNNING", "SUSPENDED", "COMPLETING", "REVOKED", "NEW_WORD"}) {
    CHECK_FALSE(is_over(slurm_state(word)));
  }
  for (const char* word : {"COMPLETED", "FAILED", "OUT_OF_MEMORY", "NODE_FAIL", "PREEMPTED", "CANCELLED"}) {
    CHECK(is_over(slurm_state(word)));
  }
}

TEST_CASE("a line of sacct is read") {
  auto lines = parse_accounts("123_4|CANCELLED by 1000|0:15|n1\n124|FAILED|3:0|None assigned\nnoise\n");

  REQUIRE(lines.size() == 2);
  CHECK(lines[0].word == "CANCELLED by 1000");
  CHECK(lines[0].signal == 15);
  CHECK(lines[1].exit_code == 3);
  CHECK_FALSE(lines[1].signal);
  CHECK(lines[1].nodes.empty());
}

TEST_CASE("the first host of a list is found") {
  CHECK(first_node("n1") == "n1");
  CHECK(first_node("n[1-2,5]") == "n1");
  CHECK(first_node("gpu[01-04],cpu7") == "gpu01");
  CHECK(first_node("cpu7,gpu[01-04]") == "cpu7");
  CHECK(first_node("").empty());
}

TEST_CASE("the name of a job says where it is") {
  CHECK(parse_job_name("123_4") == JobName{"123", 4, false});
  CHECK(parse_job_name("123.2") == JobName{"123", 2, true});
  CHECK(parse_job_name("123_4")->text() == "123_4");
  for (const char* text : {"", "123", "_4", "123_", "x_4", "123_4_5", "123_99999999999", "123_-1"}) {
    CHECK_FALSE(parse_job_name(text));
  }
}
