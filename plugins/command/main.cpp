// tenkai-plugin-command: any command that starts a daemon somewhere.
#include <memory>
#include <utility>

#include "launcher/plugin/plugin.h"
#include "plugins/command/command_plugin.h"

int main(int argc, char** argv) {
  return tenkai::plugin_main(argc, argv, "Launches tenkai's daemons by any command",
                             [](tenkai::asio::any_io_executor executor, tenkai::Plugin::Tell tell) {
                               return std::make_unique<tenkai::command::CommandPlugin>(executor,
                                                                                       std::move(tell));
                             });
}
