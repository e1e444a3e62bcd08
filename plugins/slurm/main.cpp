// tenkai-plugin-slurm: daemons as jobs of Slurm.
#include <memory>
#include <utility>

#include "launcher/plugin/plugin.h"
#include "plugins/slurm/slurm_plugin.h"

int main(int argc, char** argv) {
  return tenkai::plugin_main(argc, argv, "Launches tenkai's daemons as jobs of Slurm",
                             [](tenkai::asio::any_io_executor executor, tenkai::Plugin::Tell tell) {
                               return std::make_unique<tenkai::slurm::SlurmPlugin>(executor, std::move(tell));
                             });
}
