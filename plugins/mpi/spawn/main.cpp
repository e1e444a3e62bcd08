// tenkai-mpi-spawn: the one program of tenkai that is an MPI program. Its plugin has
// mpirun run one process of it,
//
//   tenkai-mpi-spawn NUMBER COMMAND [ARGUMENT...]
//
// which spawns NUMBER more, and ends. Those leave MPI at once and run the command, an
// agent. mpirun lives until the last of them has ended, and ends all of them when it is
// told to.
#include <mpi.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "base/text.h"
#include "plugins/mpi/rank_line.h"
#include "plugins/mpi/spawn/rank.h"

namespace tenkai::mpi {
namespace {

constexpr int max_ranks = 4096;
constexpr const char* as_rank = "--rank";

std::string own_path() {
  std::array<char, 4096> path{};
  ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  return size > 0 ? std::string(path.data(), static_cast<std::size_t>(size)) : "tenkai-mpi-spawn";
}

std::string text_of(int error) {
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int size = 0;
  MPI_Error_string(error, text.data(), &size);
  return text.data();
}

// What MPI refuses it shall say, and not abort.
void return_errors() {
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
}

// One entry for all of them: with an entry for each, Open MPI places one after the other,
// and leaves nodes half empty while others get too many.
int spawn_ranks(int number, char** command, MPI_Comm* ranks) {
  std::string path = own_path();
  std::string mark = as_rank;
  std::vector<char*> argv = {mark.data()};
  for (char** each = command; *each != nullptr; ++each) argv.push_back(*each);
  argv.push_back(nullptr);
  MPI_Info by_node = MPI_INFO_NULL;
  MPI_Info_create(&by_node);
  MPI_Info_set(by_node, "map_by", "node");
  char* programs[] = {path.data()};
  char** arguments[] = {argv.data()};
  return MPI_Comm_spawn_multiple(1, programs, arguments, &number, &by_node, 0, MPI_COMM_SELF, ranks,
                                 MPI_ERRCODES_IGNORE);
}

int be_parent(int number, char** command) {
  return_errors();
  MPI_Comm ranks = MPI_COMM_NULL;
  int error = spawn_ranks(number, command, &ranks);
  if (error != MPI_SUCCESS) {
    tell(to_line({RankLine::What::refused, 0, text_of(error), {}, {}}));
    // MPI_Finalize() would wait for ever.
    MPI_Abort(MPI_COMM_WORLD, 1);
    return 1;
  }
  // One that was killed meanwhile is an error here, and the others are there.
  MPI_Comm_disconnect(&ranks);
  MPI_Finalize();
  return 0;
}

int be_rank(char** command) {
  return_errors();
  MPI_Comm parent = MPI_COMM_NULL;
  MPI_Comm_get_parent(&parent);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (parent != MPI_COMM_NULL) MPI_Comm_disconnect(&parent);
  MPI_Finalize();
  return run_rank(static_cast<std::size_t>(rank), command);
}

int complain() {
  std::fputs("tenkai-mpi-spawn NUMBER COMMAND [ARGUMENT...] is run by mpirun; see docs/mpi.md\n", stderr);
  return 2;
}

int run(int argc, char** argv) {
  // A notice that the job ends soon is for the agents, and mpirun brings it to all.
  ::signal(SIGUSR1, SIG_IGN);
  ::signal(SIGUSR2, SIG_IGN);
  if (argc < 3) return complain();
  bool is_rank = std::strcmp(argv[1], as_rank) == 0;
  int number = to_number<int>(argv[1]).value_or(0);
  if (!is_rank && (number < 1 || number > max_ranks)) return complain();
  if (MPI_Init(nullptr, nullptr) != MPI_SUCCESS) return 1;
  return is_rank ? be_rank(argv + 2) : be_parent(number, argv + 2);
}

}  // namespace
}  // namespace tenkai::mpi

int main(int argc, char** argv) { return tenkai::mpi::run(argc, argv); }
