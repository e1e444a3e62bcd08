// Where files of profiles are looked for, and in which order.
#pragma once

#include <string>
#include <vector>

#include "launcher/profile/profiles.h"

namespace tenkai {

struct SearchPlaces {
  std::string program;      // the path of `tenkai` itself, for etc/ beside it
  std::string site_folder;  // /etc/tenkai
  std::string home;
  std::string working;  // the folder we are in
  std::string config;   // TENKAI_CONFIG: paths with ':' between
};

// The places for this process.
SearchPlaces search_places();

struct SearchedFile {
  std::string path;
  bool is_site = false;
  bool is_wanted = false;  // somebody has named it, so its absence is a problem
};

// From the first to the last, which overrides the others.
std::vector<SearchedFile> files_to_search(const SearchPlaces& places, Problems& problems);

// Reads those that are there. Files that others can change are a problem, not a file.
std::vector<ProfileFile> read_profile_files(const std::vector<SearchedFile>& files, Problems& problems);

}  // namespace tenkai
