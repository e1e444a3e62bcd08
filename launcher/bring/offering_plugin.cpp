#include "launcher/bring/offering_plugin.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "launcher/bring/in_job.h"
#include "launcher/bring/offers.h"
#include "launcher/plugin/launch_folder.h"
#include "wire/private_file.h"

namespace tenkai {
namespace {

// What a job's command is to find its package by.
bool offers_to(const LaunchRequest& request) {
  return request.option("bring") != "0" && bring::is_our_call(request.command);
}

// For the plugin below, which has no use for what is said to this one.
LaunchRequest without_offers(LaunchRequest request) {
  request.options.erase("bring");
  return request;
}

LaunchRequest with_offers(const LaunchRequest& request, const std::string& folder) {
  LaunchRequest told = without_offers(request);
  told.options[std::string(bring::launch_option)] = {bring::offer_folder(folder) + "/" +
                                                     std::string(bring::in_job_file)};
  return told;
}

Result<Done> put(const std::string& folder, std::string_view name, const std::string& text) {
  std::string path = folder + "/" + std::string(name);
  // A plugin that died may have left one.
  ::unlink(path.c_str());
  return write_private_file(path, text);
}

}  // namespace

OfferingPlugin::OfferingPlugin(asio::any_io_executor executor, Tell tell, const MakePlugin& make)
    : programs_(executor), inner_(make(executor, std::move(tell))) {}

Result<Rendered> OfferingPlugin::render(const LaunchRequest& request) const {
  if (!offers_to(request)) return inner_->render(without_offers(request));
  return inner_->render(
      with_offers(request, request.folder.empty() ? usual_launch_folder() : request.folder));
}

void OfferingPlugin::start(const LaunchRequest& request, Answer<Jobs> answer) {
  if (!offers_to(request) || request.folder.empty())
    return inner_->start(without_offers(request), std::move(answer));
  Result<Done> offered = offer(request.folder);
  if (offered) return inner_->start(with_offers(request, request.folder), std::move(answer));
  // Most jobs need nothing of it.
  spdlog::warn("jobs cannot bring tenkai along: {}", offered.error().message);
  inner_->start(without_offers(request), std::move(answer));
}

void OfferingPlugin::poll(const std::string& job, Answer<JobReport> answer) {
  inner_->poll(job, std::move(answer));
}

void OfferingPlugin::cancel(const std::string& job, Answer<Done> answer) {
  inner_->cancel(job, std::move(answer));
}

void OfferingPlugin::close(std::function<void()> done) { inner_->close(std::move(done)); }

Result<Done> OfferingPlugin::offer(const std::string& session_folder) {
  std::string folder = bring::offer_folder(session_folder);
  if (offered_.count(folder) != 0) return Done{};
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return Error{"cannot make the folder " + printable(folder, 500) + ": " + std::strerror(errno)};
  Result<Done> written = put(folder, bring::in_job_file, bring::in_job_script());
  if (!written) return written;
  bring::Offers offers = bring::find_offers();
  auto output = std::make_shared<std::string>();
  ProgramStart start;
  start.argv = {"/bin/sh", "-c", "cd " + shell_quote(folder) + " && { " + bring::offer_command(offers) + "}"};
  start.on_output = [output](std::string_view bytes) { output->append(bytes); };
  Result<pid_t> pid = programs_.start(
      std::move(start),
      [this, folder, offers, output](const ProgramEnd& end) { on_packed(folder, offers, *output, end); });
  if (!pid) return pid.error();
  offered_.insert(folder);
  return Done{};
}

void OfferingPlugin::on_packed(const std::string& folder, const bring::Offers& offers,
                               const std::string& output, const ProgramEnd& end) const {
  std::string text = end.how.exit_code == 0
                         ? bring::offers_text(offers, bring::parse_offered(output))
                         : bring::no_offers_text(
                               "it could not be packed on the machine of the session (tar, gzip and "
                               "sha256sum do that): " +
                               printable(trim(end.log), 300));
  Result<Done> written = put(folder, bring::offers_file, text);
  if (!written) spdlog::warn("jobs cannot bring tenkai along: {}", written.error().message);
}

}  // namespace tenkai
