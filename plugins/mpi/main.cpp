// tenkai-plugin-mpi: daemons as processes that an MPI program spawns.
#include <memory>
#include <utility>

#include "launcher/plugin/plugin.h"
#include "plugins/mpi/mpi_plugin.h"

int main(int argc, char** argv) {
  return tenkai::plugin_main(argc, argv, "Launches tenkai's daemons by MPI",
                             [](tenkai::asio::any_io_executor executor, tenkai::Plugin::Tell tell) {
                               return std::make_unique<tenkai::mpi::MpiPlugin>(executor, std::move(tell));
                             });
}
