#include "plugins/mpi/mpi_command.h"

#include <algorithm>

#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::mpi;

namespace {

using Texts = std::vector<std::string>;

const MpiPlace alone{{{"lo", true, true, true}}, "/opt/tenkai-mpi-spawn", "/scratch"};
const MpiPlace on_network{
    {{"lo", true, true, true}, {"eth0", false, true, true}}, "/opt/tenkai-mpi-spawn", "/scratch"};

LaunchRequest request_of(std::size_t daemons) {
  LaunchRequest request;
  request.number = 3;
  request.session = "4f1c";
  request.daemons = daemons;
  request.agents = daemons;
  request.chunk = 1;
  request.command = {"Rscript", "-e", "tenkai::agent('wss://n1:5/1',credential='@/home/me/c')"};
  return request;
}

std::string setting(const MpiCommand& command, const std::string& name) {
  auto found = std::find_if(command.environment.begin(), command.environment.end(),
                            [&name](const auto& each) { return each.first == name; });
  return found == command.environment.end() ? "none" : found->second;
}

std::string refusal(const LaunchRequest& request, const MpiPlace& place) {
  Result<MpiCommand> command = mpi_command(request, place);
  return command ? "" : command.error().message;
}

}  // namespace

TEST_CASE("mpirun runs one process, which spawns one for each daemon") {
  Result<MpiCommand> command = mpi_command(request_of(4), alone);

  REQUIRE(command);
  CHECK(command->argv == Texts{"mpirun", "-n", "1", "/opt/tenkai-mpi-spawn", "4", "Rscript", "-e",
                               "tenkai::agent('wss://n1:5/1',credential='@/home/me/c')"});
}

TEST_CASE("one that dies or fails takes no other with it") {
  Result<MpiCommand> command = mpi_command(request_of(4), alone);

  REQUIRE(command);
  CHECK(setting(*command, "OMPI_MCA_orte_enable_recovery") == "1");
  CHECK(setting(*command, "OMPI_MCA_orte_abort_on_non_zero_status") == "0");
}

TEST_CASE("each mpirun has a folder of its own") {
  Result<MpiCommand> command = mpi_command(request_of(4), alone);

  REQUIRE(command);
  CHECK(setting(*command, "OMPI_MCA_orte_top_session_dir") == "/scratch/tenkai-mpi-4f1c-3");
}

TEST_CASE("the loopback is used where there is nothing else, and only there") {
  LaunchRequest accepted = request_of(4);
  accepted.options["mpi.listen"] = {"all"};

  Result<MpiCommand> here = mpi_command(request_of(4), alone);
  Result<MpiCommand> there = mpi_command(accepted, on_network);

  REQUIRE(here);
  CHECK(setting(*here, "OMPI_MCA_btl_tcp_if_include") == "lo");
  CHECK(setting(*here, "OMPI_MCA_oob_tcp_if_include") == "lo");
  REQUIRE(there);
  CHECK(setting(*there, "OMPI_MCA_btl_tcp_if_include") == "none");
}

TEST_CASE("where others could reach it, it is not run unless that is accepted") {
  CHECK(refusal(request_of(4), on_network).find("launching by MPI is off here") == 0);
}

TEST_CASE("a profile names the program, its options, and what R needs") {
  LaunchRequest request = request_of(2);
  request.options["mpi.program"] = {"/opt/bin/mpiexec"};
  request.options["mpi.options"] = {"--hostfile", "my hosts"};
  request.options["environment.variables.A"] = {"b"};

  Result<MpiCommand> command = mpi_command(request, alone);

  REQUIRE(command);
  CHECK(Texts(command->argv.begin(), command->argv.begin() + 8) ==
        Texts{"/opt/bin/mpiexec", "-n", "1", "--hostfile", "my hosts", "/opt/tenkai-mpi-spawn", "2", "bash"});
  CHECK(command->argv.back() == "tenkai::agent('wss://n1:5/1',credential='@/home/me/c')");
}

TEST_CASE("options that are no keys are refused") {
  LaunchRequest misspelt = request_of(2);
  misspelt.options["mpi.option"] = {"--hostfile"};
  LaunchRequest wrong = request_of(2);
  wrong.options["mpi.listen"] = {"everywhere"};

  CHECK(refusal(misspelt, alone) == "there is no 'mpi.option'; did you mean 'options'?");
  CHECK(refusal(wrong, alone).find("loopback, all") != std::string::npos);
}

TEST_CASE("each process is one daemon") {
  LaunchRequest request = request_of(4);
  request.agents = 1;

  CHECK(refusal(request, alone).find("each process is one daemon") != std::string::npos);
}

TEST_CASE("what is shown can be pasted into a shell") {
  MpiCommand command{{{"A", "1"}, {"B", "--x --y=0"}}, {"mpirun", "-n", "1", "it's"}};

  CHECK(shown(command) == "env A=1 B='--x --y=0' mpirun -n 1 \"it's\"");
}
