# A room is a folder with one job and a static library of the same name.

# Boost.Asio, compiled once from `source`. All who include it must agree on the
# definitions, so they come from this target alone.
function(tenkai_asio source)
  add_library(tenkai_asio STATIC ${source})
  target_link_libraries(tenkai_asio PRIVATE tenkai_options PUBLIC Boost::headers OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
  target_compile_definitions(tenkai_asio PUBLIC
    BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION)
endfunction()

# tenkai_room(scheduler BELOW base wire LIBRARIES ${tenkai_log}) makes the library
# tenkai_scheduler from scheduler/*.cpp and scheduler/*/*.cpp. A room of headers alone is fine.
function(tenkai_room room)
  cmake_parse_arguments(PARSE_ARGV 1 room "" "" "BELOW;LIBRARIES")
  list(TRANSFORM room_BELOW PREPEND tenkai_)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${room}/*.cpp
    ${PROJECT_SOURCE_DIR}/${room}/*/*.cpp)
  list(REMOVE_ITEM sources ${PROJECT_SOURCE_DIR}/wire/asio.cpp)
  if(NOT sources)
    add_library(tenkai_${room} INTERFACE)
    target_link_libraries(tenkai_${room} INTERFACE tenkai_options ${room_BELOW} ${room_LIBRARIES})
    return()
  endif()
  add_library(tenkai_${room} STATIC ${sources})
  target_link_libraries(tenkai_${room} PUBLIC tenkai_options ${room_BELOW} ${room_LIBRARIES})
  # Who adds a frame type or a cause is told each switch that has to know it.
  if(room MATCHES "^(scheduler|agent|launcher)$")
    target_compile_options(tenkai_${room} PRIVATE -Wswitch-enum)
  endif()
  # It is edited most, and its sources are the largest: few at once, so that an edit is
  # compiled within ten seconds.
  if(room STREQUAL scheduler)
    set_target_properties(tenkai_${room} PROPERTIES UNITY_BUILD_BATCH_SIZE 3)
    # The two that take longest would be one batch.
    set_source_files_properties(${PROJECT_SOURCE_DIR}/scheduler/service_requests.cpp PROPERTIES
      SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
endfunction()

# tenkai_program(tenkai cli BELOW …) makes the program `tenkai` from cli/*.cpp.
function(tenkai_program program folder)
  cmake_parse_arguments(PARSE_ARGV 2 program "" "" "BELOW;LIBRARIES")
  list(TRANSFORM program_BELOW PREPEND tenkai_)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${program} ${sources})
  target_link_libraries(${program} PRIVATE tenkai_options ${program_BELOW} ${program_LIBRARIES})
  # The prefix can be moved; libraries found elsewhere (Spack) stay where they are.
  set_target_properties(${program} PROPERTIES INSTALL_RPATH "$ORIGIN/../lib")
endfunction()

# A program that is not for people. It lies as deep in the build folder as where it is
# installed, so that it looks for libraries in neither folder's neighbours, where others
# may write.
function(tenkai_libexec program)
  set_target_properties(${program} PROPERTIES INSTALL_RPATH "$ORIGIN/../../lib"
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/libexec/tenkai)
endfunction()

# tenkai_plugin(ssh LIBRARIES …) makes the library tenkai_plugin_ssh from plugins/ssh/*.cpp.
function(tenkai_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 plugin "" "" "LIBRARIES")
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/plugins/${name}/*.cpp)
  add_library(tenkai_plugin_${name} STATIC ${sources})
  target_link_libraries(tenkai_plugin_${name} PUBLIC tenkai_options tenkai_launcher ${plugin_LIBRARIES})
endfunction()

# tenkai_part(SSH Libssh2_FOUND "why not") sets TENKAI_WITH_SSH, by TENKAI_SSH and by whether
# that variable says that it can be built.
function(tenkai_part part found why_not)
  set(with OFF)
  if(TENKAI_${part} AND ${found})
    set(with ON)
  elseif(TENKAI_${part} STREQUAL AUTO)
    message(STATUS "Without TENKAI_${part}: ${why_not}")
  elseif(TENKAI_${part})
    message(FATAL_ERROR "TENKAI_${part} is ${TENKAI_${part}}, but ${why_not}")
  endif()
  set(TENKAI_WITH_${part} ${with} PARENT_SCOPE)
endfunction()
