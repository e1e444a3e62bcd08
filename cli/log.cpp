#include "cli/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace tenkai {

void start_log() {
  const char* level = std::getenv("TENKAI_LOG");
  auto log = spdlog::stderr_logger_st("tenkai");
  log->set_pattern("%Y-%m-%d %H:%M:%S.%e tenkai[" + std::to_string(::getpid()) + "] %l: %v");
  log->set_level(level == nullptr ? spdlog::level::off : spdlog::level::from_str(level));
  spdlog::set_default_logger(log);
}

}  // namespace tenkai
