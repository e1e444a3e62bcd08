// tenkai-plugin-ssh: daemons on other machines, by SSH.
#include <memory>
#include <utility>

#include "launcher/plugin/plugin.h"
#include "plugins/ssh/ssh_plugin.h"

int main(int argc, char** argv) {
  return tenkai::plugin_main(argc, argv, "Launches tenkai's daemons by SSH",
                             [](tenkai::asio::any_io_executor executor, tenkai::Plugin::Tell tell) {
                               return std::make_unique<tenkai::ssh::SshPlugin>(executor, std::move(tell));
                             });
}
