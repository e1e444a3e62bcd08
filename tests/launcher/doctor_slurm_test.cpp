#include <chrono>
#include <string>
#include <vector>

#include "launcher/doctor/slurm_checks.h"
#include "tests/catch.h"
#include "tests/launcher/doctor_tables.h"
#include "tests/launcher/profile_files.h"

using namespace tenkai;
using namespace tenkai::doctor;

namespace {

Answer good(const std::string& output) {
  Answer answer;
  answer.exit_code = 0;
  answer.output = output;
  return answer;
}

Answer bad(const std::string& errors) {
  Answer answer;
  answer.exit_code = 1;
  answer.errors = errors;
  return answer;
}

const std::string config =
    "Configuration data as of now\nAccountingStorageType   = accounting_storage/slurmdbd\n"
    "MaxJobCount             = 10000\nMinJobAge               = 300 sec\n";

const std::string main_partition =
    "PartitionName=main AllowAccounts=ALL AllowQos=ALL AllocNodes=ALL Default=YES MaxTime=1-00:00:00 "
    "MaxMemPerNode=UNLIMITED MaxCPUsPerNode=UNLIMITED PreemptMode=OFF State=UP\n";

SlurmState healthy() {
  SlurmState state;
  state.limit = std::chrono::seconds(5);
  state.is_wanted = true;
  state.host = "login1";
  state.said.version = good("slurm 23.11.4\n");
  state.said.ping = good("Slurmctld(primary) at head is UP\n");
  state.said.partitions = good(main_partition + "PartitionName=gpu State=UP MaxTime=1:00:00\n");
  state.said.nodes = good("main|idle|3|16|64000|(null)|none\ngpu|mix|1|8|32000|gpu:a100:4|none\n");
  state.said.config = good(config);
  state.said.queue = good("7_1\n7_2\n");
  state.said.associations = good("proj42||normal,long|200|\n");
  state.said.database = good("");
  return state;
}

template <class Change>
std::string site_with(Change change) {
  SlurmState state = healthy();
  change(state);
  bool answers = false;
  std::string ids = bad_of(judge_slurm(state, answers));
  return ids + (answers ? "" : "silent");
}

template <class Change>
std::string request_with(const std::string& keys, Change change) {
  SlurmState state = healthy();
  change(state);
  Resolved resolved = resolve({{"p.yaml", "profiles: {p: {launcher: slurm, slurm: {" + keys + "}}}\n"}});
  REQUIRE(resolved.problems.empty());
  return bad_of(judge_request(state, slurm_request(resolved.profiles.all["p"], 8)));
}
std::string request_with(const std::string& keys) {
  return request_with(keys, [](SlurmState&) {});
}

}  // namespace

TEST_CASE("a healthy Slurm has nothing to complain of") {
  CHECK(site_with([](SlurmState&) {}).empty());
  CHECK(site_with([](SlurmState& it) {
          it.said.ping.output += "Slurmctld(backup) at spare is DOWN\n";
          it.said.ping.exit_code = 1;
        }).empty());
  CHECK(request_with("").empty());
  CHECK(
      request_with("partition: main, account: proj42, qos: long, time: 12:00:00, mem: 60G, cpus-per-task: 8")
          .empty());
  CHECK(request_with("account: PROJ42").empty());
  CHECK(request_with("partition: gpu, gpus-per-task: 1, mem-per-cpu: 1G").empty());
  CHECK(request_with("partition: \"gpu,main\", time: 30").empty());
}

TEST_CASE("each trouble of a Slurm has its check") {
  CHECK(site_with([](SlurmState& it) { it.said.missing = {"sacct"}; }) == "slurm.programs warning;");
  CHECK(site_with([](SlurmState& it) {
          it.said.missing = {"sbatch", "scontrol"};
          it.said.ping = {};
          it.said.ping.missing = true;
        }) == "slurm.programs wrong;silent");
  CHECK(site_with([](SlurmState& it) { it.said.version = good("slurm 20.02.7"); }) ==
        "slurm.version warning;");
  CHECK(site_with([](SlurmState& it) { it.said.ping = good("Slurmctld(primary) at head is DOWN\n"); }) ==
        "slurm.answer wrong;silent");
  CHECK(site_with([](SlurmState& it) { it.said.ping.timed_out = true; }) == "slurm.answer wrong;silent");
  CHECK(site_with([](SlurmState& it) { it.said.queue = bad("Socket timed out on send/recv"); }) ==
        "slurm.queue wrong;");
  CHECK(site_with([](SlurmState& it) { it.said.queue.took = std::chrono::seconds(4); }) ==
        "slurm.queue warning;");
  CHECK(site_with([](SlurmState& it) { it.said.database = bad("Connection refused"); }) ==
        "slurm.database warning;");
  CHECK(site_with([](SlurmState& it) {
          it.said.database = bad("Slurm accounting storage is disabled");
          it.said.config = good("AccountingStorageType = accounting_storage/none\nMinJobAge = 2 sec\n");
        }) == "slurm.database warning;");
  CHECK(site_with([](SlurmState& it) { it.variables = {"SBATCH_QOS=x"}; }) == "slurm.variables warning;");
  CHECK(site_with([](SlurmState& it) {
          it.variables = {"SBATCH_QOS=x"};
          it.own_job = "12";
        }).empty());
}

TEST_CASE("a Slurm that nobody has asked for may be silent") {
  CHECK(site_with([](SlurmState& it) {
          it.is_wanted = false;
          it.said.ping = bad("Could not establish a configuration source");
        }) == "slurm skipped;silent");
}

TEST_CASE("each wish that a Slurm has not is told by its key") {
  CHECK(request_with("partition: mian") == "slurm.partition wrong;");
  CHECK(request_with("time: 2-0") == "slurm.time wrong;");
  CHECK(request_with("mem: 65G") == "slurm.memory wrong;");
  CHECK(request_with("mem-per-cpu: 8G, cpus-per-task: 16") == "slurm.memory wrong;");
  CHECK(request_with("cpus-per-task: 17") == "slurm.processors wrong;");
  CHECK(request_with("cpus-per-task: 8, array-chunk: 4") == "slurm.processors wrong;");
  CHECK(request_with("gpus-per-task: 1") == "slurm.gpus wrong;");
  CHECK(request_with("account: proj43") == "slurm.account wrong;");
  CHECK(request_with("qos: fast") == "slurm.qos wrong;");
}

TEST_CASE("a partition that takes no such job says why") {
  auto with = [](const std::string& from, const std::string& to) {
    return request_with("account: proj42, qos: long", [&](SlurmState& it) {
      std::string& text = it.said.partitions.output;
      text.replace(text.find(from), from.size(), to);
    });
  };
  CHECK(with("State=UP", "State=DOWN") == "slurm.partition wrong;");
  CHECK(with("AllowAccounts=ALL", "AllowAccounts=other,more") == "slurm.partition wrong;");
  CHECK(with("AllowAccounts=ALL", "AllowAccounts=other,proj42").empty());
  CHECK(with("AllowQos=ALL", "AllowQos=normal") == "slurm.partition wrong;");
  CHECK(with("AllocNodes=ALL", "AllocNodes=front") == "slurm.partition wrong;");
  CHECK(with("AllocNodes=ALL", "AllocNodes=login[1-4]").empty());
  CHECK(with("AllocNodes=ALL", "AllocNodes=front,login1.example.org").empty());
  CHECK(with("Default=YES", "Default=NO") == "slurm.partition wrong;");
}

TEST_CASE("nodes that are down are a fault only where none is up") {
  auto with = [](const std::string& nodes) {
    return request_with("", [&](SlurmState& it) { it.said.nodes = good(nodes); });
  };
  CHECK(with("main|down*|1|16|64000|(null)|Not responding\nmain|idle|1|16|64000|(null)|none\n").empty());
  CHECK(with("main|drain|2|16|64000|(null)|bad disk\n") == "slurm.nodes wrong;");
  CHECK(with("main|idle~|2|16|64000|(null)|none\n").empty());
  CHECK(with("dirt\n") == "slurm.nodes skipped;");
}

TEST_CASE("fewer jobs than a profile has are told before") {
  auto with = [](const std::string& limit) {
    return request_with(
        "", [&](SlurmState& it) { it.said.associations = good("proj42||normal|" + limit + "|\n"); });
  };
  CHECK(with("10").empty());
  CHECK(with("9") == "slurm.limit warning;");
  CHECK(request_with("array-chunk: 4", [](SlurmState& it) {
          it.said.associations = good("proj42||normal|9|\n");
        }).empty());
}

TEST_CASE("preemption is a warning where its tasks are not tried again") {
  auto preempt = [](SlurmState& it) {
    std::string& text = it.said.partitions.output;
    text.replace(text.find("PreemptMode=OFF"), 15, "PreemptMode=REQUEUE");
  };
  CHECK(request_with("", preempt).empty());
  CHECK(request_with("}, retries: {preempted: 0", preempt) == "slurm.preemption warning;");
}

TEST_CASE("what sbatch says to the script is told") {
  auto limit = std::chrono::seconds(5);
  Answer taken = good("");
  taken.errors =
      "sbatch: Job 1 to start at 2026-01-02T03:04:05 using 1 processors on nodes n1 in partition main\n";

  CHECK(not_tested().state == State::skipped);
  CHECK(judge_test("p", taken, limit).state == State::ok);
  CHECK(judge_test("p", taken, limit).sentence == "it would be taken, to start at 2026-01-02T03:04:05");
  taken.errors += "sbatch: error: Welcome to the new cluster\n";
  CHECK(judge_test("p", taken, limit).state == State::ok);
  CHECK(judge_test("p", good("allocation failure: Invalid partition"), limit).state == State::wrong);
  Check refused = judge_test("p", bad("sbatch: error: Memory specification can not be satisfied\n"), limit);
  CHECK(refused.state == State::wrong);
  CHECK(refused.sentence == "Slurm refuses it: Memory specification can not be satisfied");
  Answer unwritten = bad("tenkai launch: no template 'x'");
  unwritten.ends_early = true;
  CHECK(judge_test("p", unwritten, limit).sentence == "there is no script: no template 'x'");
  taken.timed_out = true;
  CHECK(judge_test("p", taken, limit).state == State::wrong);
}

TEST_CASE("the first of several submissions is tested") {
  CHECK(first_submission("sbatch -a <<'TENKAI'\nx\nTENKAI\nsbatch -b <<'TENKAI'\ny\nTENKAI") ==
        "sbatch -a <<'TENKAI'\nx\nTENKAI\n");
  CHECK(first_submission("sbatch -a <<'TENKAI'\nx\nTENKAI") == "sbatch -a <<'TENKAI'\nx\nTENKAI");
  CHECK(first_submission("sbatch") == "sbatch");
}

TEST_CASE("what sites write around the answers is passed over") {
  CHECK(slurm_version("Welcome\nslurm-wlm 22.05.8") == 2205);
  CHECK(slurm_version("none") == 0);
  CHECK(parse_partitions("Welcome\n" + main_partition).size() == 1);
  CHECK(parse_partitions("").empty());
  CHECK(parse_nodes("a|b|c\nmain|idle|2+|4+|100+|(null)|none").front().processors == 4);
  CHECK(parse_associations("proj||a,b||5\n||\n").front().most_jobs == 5u);
}
