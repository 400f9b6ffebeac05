// The tile registers of AMX (Intel, 2020): eight of up to 16 rows x 64 bytes. Their numbers are part of the
// instructions. A product reads a left tile of rows of bfloat16, and a right one of rows of pairs.

template <int Tile>
inline void clearTile() {
  asm volatile("tilezero %%tmm%c0" ::"i"(Tile));
}

/// pitch: bytes from one row to the next.
template <int Tile>
inline void loadTile(const void* from, int64_t pitch) {
  asm volatile("tileloadd (%1,%2,1), %%tmm%c0" ::"i"(Tile), "r"(from), "r"(pitch) : "memory");
}

template <int Tile>
inline void storeTile(void* to, int64_t pitch) {
  asm volatile("tilestored %%tmm%c0, (%1,%2,1)" ::"i"(Tile), "r"(to), "r"(pitch) : "memory");
}

/// Sums += Left x Right.
template <int Sums, int Left, int Right>
inline void multiplyTiles() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(Sums), "i"(Left), "i"(Right));
}

/// Shapes of the tiles for as long as it lives.
class TileShapes {
 public:
  struct Shape {
    int rows, bytes;
  };
  explicit TileShapes(const Shape (&shapes)[8]) {
    struct alignas(64) {
      uint8_t palette = 1, startRow = 0, reserved[14] = {};
      uint16_t bytes[16] = {};
      uint8_t rows[16] = {};
    } configuration;
    for (int i = 0; i < 8; ++i) {
      configuration.bytes[i] = static_cast<uint16_t>(shapes[i].bytes);
      configuration.rows[i] = static_cast<uint8_t>(shapes[i].rows);
    }
    asm volatile("ldtilecfg %0" ::"m"(configuration));
  }
  TileShapes(const TileShapes&) = delete;
  TileShapes& operator=(const TileShapes&) = delete;
  ~TileShapes() { asm volatile("tilerelease"); }
};

/// Calls work on the numbers 0 .. Count - 1, each known when compiling.
template <int Count, typename Work>
[[gnu::always_inline]] inline void unrolled(const Work& work) {
  [&]<int... I>(std::integer_sequence<int, I...>) {
    (work(std::integral_constant<int, I>()), ...);
  }
  (std::make_integer_sequence<int, Count>());
}
