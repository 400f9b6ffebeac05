# The CUDA part as a shared library that the addon opens at run time, the programs that test and measure it, and twins of
# all of them that run on the processor: the same sources as plain C++ against the emulation in
# test/native/cuda/emulation. Every one is a target of the same name as its file in build/Release.

espalier_read_sources(cuda ESPALIER_CUDA_SOURCES)
set(ESPALIER_CUDA_ENTRY native/device/cuda/library.cpp)
list(REMOVE_ITEM ESPALIER_CUDA_SOURCES ${ESPALIER_CUDA_ENTRY})

# Programs, each made from one folder; left out of the package.
foreach(program test bench)
  file(GLOB ESPALIER_CUDA_${program}_SOURCES CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}
       ${program}/native/cuda/*.cpp ${program}/native/cuda/*.cu)
endforeach()

# Sets the variable to the given sources with an object file of nvcc's in place of each .cu file.
function(espalier_compile_by_nvcc variable)
  set(results)
  foreach(source ${ARGN})
    if(source MATCHES "\\.cu$")
      set(object ${CMAKE_BINARY_DIR}/cuda/${source}.o)
      cmake_path(GET object PARENT_PATH folder)
      file(MAKE_DIRECTORY ${folder})
      add_custom_command(
        OUTPUT ${object}
        COMMAND ${ESPALIER_CUDA_NVCC} ${ESPALIER_CUDA_FLAGS} -I${CMAKE_CURRENT_SOURCE_DIR}/native -MD -MF ${object}.d -c
                ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${object}
        DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${source} ${ESPALIER_CUDA_NVCC}
        DEPFILE ${object}.d
        COMMENT "Building CUDA object ${source}.o"
        VERBATIM)
      set(source ${object})
    endif()
    list(APPEND results ${source})
  endforeach()
  set(${variable} ${results} PARENT_SCOPE)
endfunction()

# The module espalier_cuda<suffix> without prefix, and espalier_cuda<suffix>_parts, which is everything but its entry.
function(espalier_add_cuda_library suffix)
  set(library espalier_cuda${suffix})
  add_library(${library}_parts STATIC ${ARGN})
  target_link_libraries(${library}_parts PUBLIC espalier_core)
  add_library(${library} MODULE ${ESPALIER_CUDA_ENTRY})
  # Only the entry is seen from outside, not the CUDA runtime that is linked in.
  target_link_options(${library} PRIVATE -Wl,--exclude-libs,ALL -Wl,--no-undefined)
  set_target_properties(${library} PROPERTIES PREFIX "" SUFFIX ".so")
  espalier_use_cuda_parts(${library} "${suffix}")
endfunction()

# The program espalier_cuda_<name><suffix> from the sources given, if there are any; built when it is named.
function(espalier_add_cuda_program name suffix)
  if(ARGN)
    set(program espalier_cuda_${name}${suffix})
    add_executable(${program} EXCLUDE_FROM_ALL ${ARGN})
    set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_LIBRARY_OUTPUT_DIRECTORY}
                                                LINKER_LANGUAGE CXX)
    espalier_use_cuda_parts(${program} "${suffix}")
  endif()
endfunction()

function(espalier_use_cuda_parts target suffix)
  target_link_libraries(${target} PRIVATE espalier_cuda${suffix}_parts)
  set_target_properties(${target} PROPERTIES BUILD_RPATH "$ORIGIN;${ESPALIER_CUDA_RUN_PATHS}")
endfunction()

if(ESPALIER_CUDA_NVCC)
  espalier_compile_by_nvcc(sources ${ESPALIER_CUDA_SOURCES})
  espalier_add_cuda_library("" ${sources})
  target_include_directories(espalier_cuda_parts SYSTEM PUBLIC ${ESPALIER_CUDA_INCLUDES})
  target_link_libraries(espalier_cuda_parts PUBLIC ${ESPALIER_CUDA_LIBRARIES} rt)
  foreach(program test bench)
    espalier_compile_by_nvcc(sources ${ESPALIER_CUDA_${program}_SOURCES})
    espalier_add_cuda_program(${program} "" ${sources})
  endforeach()
else()
  # What an earlier build left would answer for this one.
  foreach(name espalier_cuda.so espalier_cuda_test espalier_cuda_bench)
    file(REMOVE ${CMAKE_LIBRARY_OUTPUT_DIRECTORY}/${name})
  endforeach()
endif()
# scripts/build-native.mjs and the next configuration ask for it.
set(ESPALIER_CUDA_FOUND ${ESPALIER_CUDA_NVCC} CACHE INTERNAL "nvcc of the build, or empty")

# What `npm test` builds first; nothing where the emulation does not run.
add_custom_target(espalier_emulated)
set(emulation ${CMAKE_CURRENT_SOURCE_DIR}/test/native/cuda/emulation)
if(EXISTS ${emulation}/cuda_runtime.h AND CMAKE_SYSTEM_NAME STREQUAL Linux)
  file(GLOB_RECURSE emulation_sources CONFIGURE_DEPENDS ${emulation}/*.cpp)
  set_source_files_properties(${ESPALIER_CUDA_SOURCES} ${ESPALIER_CUDA_test_SOURCES} ${ESPALIER_CUDA_bench_SOURCES}
                              PROPERTIES LANGUAGE CXX)
  espalier_add_cuda_library(_emulated ${ESPALIER_CUDA_SOURCES} ${emulation_sources})
  set_target_properties(espalier_cuda_emulated espalier_cuda_emulated_parts PROPERTIES EXCLUDE_FROM_ALL ON)
  target_include_directories(espalier_cuda_emulated_parts BEFORE PUBLIC ${emulation})
  # -O1: these programs take longer to compile than to run.
  target_compile_options(espalier_cuda_emulated_parts PUBLIC -O1 -Wno-unknown-pragmas)
  foreach(program test bench)
    espalier_add_cuda_program(${program} _emulated ${ESPALIER_CUDA_${program}_SOURCES})
    if(ESPALIER_CUDA_${program}_SOURCES)
      add_dependencies(espalier_emulated espalier_cuda_${program}_emulated)
    endif()
  endforeach()
  add_dependencies(espalier_emulated espalier_cuda_emulated)
endif()
