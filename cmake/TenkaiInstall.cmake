# What `cmake --install` puts below a prefix that can be moved afterwards: nothing
# in it holds the prefix, every path is found from where the file itself is.
#
#   bin/tenkai
#   libexec/tenkai/                      programs for programs; plugins of others
#   share/tenkai/{templates,etc,r}       r is the source of the R package
#   share/tenkai/compat/mirai            the source of the package in mirai's place (use_as_mirai())
#   share/tenkai/modulefiles             for `module use`
#   share/man/man1  share/bash-completion  share/zsh  share/fish
#   lib/pkgconfig/tenkai.pc              lib/cmake/tenkai/

include(CMakePackageConfigHelpers)

if(TARGET tenkai)
  install(TARGETS tenkai RUNTIME DESTINATION bin)
endif()
install(DIRECTORY DESTINATION libexec/tenkai)
get_property(helpers GLOBAL PROPERTY tenkai_helpers)
if(helpers)
  install(TARGETS ${helpers} RUNTIME DESTINATION libexec/tenkai)
endif()

# Manual pages and completion: the program prints them, where it can run.
if(TARGET tenkai AND NOT CMAKE_CROSSCOMPILING AND NOT TENKAI_SANITIZE)
  set(told ${PROJECT_BINARY_DIR}/share)
  string(TIMESTAMP today %Y-%m-%d UTC)
  add_custom_command(OUTPUT ${told}/told DEPENDS tenkai VERBATIM
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${told}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${told}/man/man1 ${told}/bash-completion/completions
      ${told}/zsh/site-functions ${told}/fish/vendor_completions.d
    COMMAND tenkai man --into ${told}/man/man1 --date ${today}
    COMMAND tenkai completion bash > ${told}/bash-completion/completions/tenkai
    COMMAND tenkai completion zsh > ${told}/zsh/site-functions/_tenkai
    COMMAND tenkai completion fish > ${told}/fish/vendor_completions.d/tenkai.fish
    COMMAND ${CMAKE_COMMAND} -E touch ${told}/told)
  add_custom_target(tenkai_told ALL DEPENDS ${told}/told)
  add_dependencies(programs tenkai_told)
  install(DIRECTORY ${told}/ DESTINATION share PATTERN told EXCLUDE)
endif()

foreach(folder templates etc)
  install(DIRECTORY DESTINATION share/tenkai/${folder})
  if(IS_DIRECTORY ${PROJECT_SOURCE_DIR}/${folder})
    install(DIRECTORY ${folder}/ DESTINATION share/tenkai/${folder})
  endif()
endforeach()

# r/src holds links to the files that the R package shares with the programs. An
# installation has no base/ to point at, and gets the files.
if(EXISTS ${PROJECT_SOURCE_DIR}/r/DESCRIPTION)
  install(DIRECTORY r/ DESTINATION share/tenkai/r USE_SOURCE_PERMISSIONS
    PATTERN "src/base" EXCLUDE PATTERN "src/random_stream.cpp" EXCLUDE PATTERN "src/text.cpp" EXCLUDE
    PATTERN "src/url.cpp" EXCLUDE PATTERN "inst/program" EXCLUDE PATTERN "*.o" EXCLUDE PATTERN "*.so" EXCLUDE)
  # In the checkout these are links to our own files.
  file(GLOB links RELATIVE ${PROJECT_SOURCE_DIR}/r/src CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/r/src/base/*.h)
  install(FILES ${links} DESTINATION share/tenkai/r/src/base)
  install(FILES base/random_stream.cpp base/text.cpp base/url.cpp DESTINATION share/tenkai/r/src)
endif()

install(DIRECTORY compat/ DESTINATION share/tenkai/compat)
install(FILES packaging/module/tenkai DESTINATION share/tenkai/modulefiles/tenkai RENAME ${PROJECT_VERSION})

configure_file(cmake/tenkai.pc.in tenkai.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/tenkai.pc DESTINATION lib/pkgconfig)

configure_package_config_file(cmake/tenkaiConfig.cmake.in tenkaiConfig.cmake
  INSTALL_DESTINATION lib/cmake/tenkai)
write_basic_package_version_file(tenkaiConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/tenkaiConfig.cmake ${PROJECT_BINARY_DIR}/tenkaiConfigVersion.cmake
  DESTINATION lib/cmake/tenkai)
