{
  # The same addon by node-gyp, for hosts without CMake: `npm run build:gyp` writes build/Release/espalier.node,
  # without the CUDA part.
  'targets': [
    {
      'target_name': 'espalier',
      'sources': [
        '<!@(node -p "const s = require(\'./native/sources.json\'); [...s.core, ...s.addon].map((f) => \'native/\' + f).join(\' \')")'
      ],
      'include_dirs': [
        'native',
        '<!(node -p "require(\'node-addon-api\').include_dir")'
      ],
      'conditions': [['OS=="linux"', { 'libraries': ['-ldl'] }]],
      # The last: a worker thread may be terminated while the addon throws.
      'defines': ['NAPI_VERSION=9', 'NAPI_CPP_EXCEPTIONS', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'],
      'cflags': ['-O3', '-Wall', '-Wextra', '-fvisibility=hidden'],
      'cflags!': ['-O2'],
      'cflags_cc': ['-std=c++20', '-fexceptions', '-frtti', '-fvisibility-inlines-hidden'],
      'cflags_cc!': ['-std=gnu++17', '-std=gnu++20', '-fno-exceptions', '-fno-rtti'],
      'xcode_settings': {
        'CLANG_CXX_LANGUAGE_STANDARD': 'c++20',
        'CLANG_CXX_LIBRARY': 'libc++',
        'GCC_ENABLE_CPP_EXCEPTIONS': 'YES',
        'GCC_ENABLE_CPP_RTTI': 'YES',
        'GCC_OPTIMIZATION_LEVEL': '3',
        'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
        'MACOSX_DEPLOYMENT_TARGET': '11.0'
      }
    }
  ]
}
