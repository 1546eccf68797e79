# Builds libtsnn, its examples and its tests with GNU make. `make help` lists the targets; nothing needs configuring.

# --- deps first -------------------------------------------------------------------------------------------------------
# In `make deps check`, everything after deps runs in a make of its own, which sees what deps has just installed.

DEPS_GOALS  := $(filter deps deps-dev deps-peers deps-mpi deps-rust deps-fuzz,$(MAKECMDGOALS))
LATER_GOALS := $(filter-out deps deps-dev deps-peers deps-mpi deps-rust deps-fuzz,$(MAKECMDGOALS))

.DEFAULT_GOAL := all
.PHONY: deps deps-dev deps-peers deps-mpi deps-rust deps-fuzz

deps: ## install what the build, the tests and the demo need (Debian and its kin)
	@CC="$(CC)" BUILD="$(or $(BUILD),build)" sh .ci/deps

deps-dev: ## install what lint, sanitize, valgrind, docs and check-arm want
	@CC="$(CC)" sh .ci/deps dev

deps-mpi: ## install an MPI (Open MPI, unless there is one) for MPI=1 and check-mpi
	@CC="$(CC)" sh .ci/deps mpi

deps-rust: ## install cargo for the Rust part of check-ffi, unless there is one
	@CC="$(CC)" sh .ci/deps rust

deps-fuzz: ## install what fuzz wants: clang with its fuzzer and sanitizers
	@CC="$(CC)" sh .ci/deps fuzz

deps-peers: ## install what bench-peers compares with (PyTorch and MKL into $(BUILD)/peers)
	@CC="$(CC)" BUILD="$(or $(BUILD),build)" sh tests/bench/peers/deps.sh

ifneq ($(and $(DEPS_GOALS),$(LATER_GOALS)),)

.PHONY: $(LATER_GOALS) later-goals
$(LATER_GOALS): later-goals ; @:
later-goals: $(DEPS_GOALS)
	@$(MAKE) --no-print-directory $(LATER_GOALS)

else

# --- variables a user may set -----------------------------------------------------------------------------------------

INFERENCE_ONLY ?= 0
BUILD   ?= $(if $(filter 1,$(INFERENCE_ONLY)),build/inference,build)
CFLAGS  ?= -O2 -g
OPENMP  ?= 1
# 0: without model files, which want jansson.
MODEL_FILES ?= 1
# 1: libtsnn-mpi and train_mpi too, which want an MPI.
MPI     ?= 0
MPICC   ?= mpicc
V       ?= 0
INSTALL ?= install
STRIP   ?= strip
PKG_CONFIG ?= pkg-config

PREFIX      ?= /usr/local
prefix      ?= $(PREFIX)
exec_prefix ?= $(prefix)
bindir      ?= $(exec_prefix)/bin
libdir      ?= $(exec_prefix)/lib
includedir  ?= $(prefix)/include
datadir     ?= $(prefix)/share
pkgconfigdir ?= $(libdir)/pkgconfig
cmakedir    ?= $(libdir)/cmake/sparse-nn
mandir      ?= $(datadir)/man

# What `make demo` trains with: the best settings found for this size of network, all told in docs/results.md.
# DEMO_EPOCHS=3 gives a quick look.
DEMO_EPOCHS ?= 60
DEMO_FLAGS  ?= --sampling exact --init-scale 1 --optimizer nesterov --lr 0.1 --schedule cosine --warmup 2 \
               --weight-decay 0 --dropout 0.2 --zeta 0.2

# What `make bench-peers` measures: --quick, and --shape, --peer, --work, each of which may be repeated.
PEERS_FLAGS ?=
# Debian's Python has Debian's SciPy; the environment of deps-peers is built on it.
PYTHON ?= $(firstword $(wildcard $(BUILD)/peers/venv/bin/python /usr/bin/python3) python3)
# Options of `make bench`: see build/bench/bench --help.
BENCH_FLAGS ?=

# Suites that `make valgrind` runs; empty: all.
VALGRIND_SUITES ?=

# What `make fuzz` runs, and for how many seconds each.
FUZZ_TARGETS ?= model csr options data exchange npz
FUZZ_SECONDS ?= 60

# --- version ----------------------------------------------------------------------------------------------------------

# The interface number of the shared library. It rises when a function is removed or changed, never with the version.
SOVERSION := 0
VERSION   := $(shell awk '$$2 ~ /^TSNN_VERSION_(MAJOR|MINOR|PATCH)$$/ { v = v dot $$3; dot = "." } END { print v }' \
                     include/tsnn/version.h)

# --- tools and flags --------------------------------------------------------------------------------------------------

# Makes before 4.3 take a bare one for a comment.
HASH := \#
SPACE := $(subst ,, )

# Whether the text $(1) compiles and links with the flags $(2): 1 or nothing.
compiles = $(shell out=$$(mktemp) && printf '%s\n' $(1) | $(CC) -x c - -o "$$out" $(2) >/dev/null 2>&1 && echo 1; \
                   rm -f "$$out")
# Flags of the package $(1) of the kind $(2) (cflags, libs), or $(3) where pkg-config does not know it.
package = $(shell $(PKG_CONFIG) --$(2) $(1) 2>/dev/null || echo "$(3)")

# These goals compile nothing, so nothing is probed for them.
ifneq ($(filter-out help clean deps deps-dev deps-peers deps-mpi deps-rust deps-fuzz format uninstall,$(or $(MAKECMDGOALS),all)),)

ifeq ($(OPENMP),1)
ifeq ($(call compiles,'$(HASH)include <omp.h>' 'int main(void) { return omp_get_max_threads() < 1; }',-fopenmp),)
$(warning $(CC) has no OpenMP here (clang wants libomp-dev): building for one thread, as with OPENMP=0)
override OPENMP := 0
endif
endif

ifeq ($(MODEL_FILES),1)
JANSSON_CFLAGS := $(call package,jansson,cflags)
JANSSON_LIBS   := $(call package,jansson,libs,-ljansson)
ifeq ($(call compiles,'$(HASH)include <jansson.h>' 'int main(void) { return json_delete == 0; }',$(JANSSON_CFLAGS) $(JANSSON_LIBS)),)
$(warning jansson is not here (make deps): building without model files, as with MODEL_FILES=0)
override MODEL_FILES := 0
endif
endif

CHECK_CFLAGS := $(call package,check,cflags)
CHECK_LIBS   := $(call package,check,libs,-lcheck -lsubunit -lrt -lpthread -lm)

# These two have dependencies beyond the library: metrics are written with jansson, data read through zlib.
train_mlp_CFLAGS := $(call package,jansson zlib,cflags)
train_mlp_LIBS   := $(call package,jansson zlib,libs,-ljansson -lz)
train_parallel_CFLAGS := $(train_mlp_CFLAGS)
train_parallel_LIBS   := $(train_mlp_LIBS)
# It has train_mlp's options, data, model and pictures: all of that folder but its main().
train_parallel_SHARES := $(filter-out examples/train_mlp/main.c,$(wildcard examples/train_mlp/*.c))
ifeq ($(call compiles,'$(HASH)include <jansson.h>' '$(HASH)include <zlib.h>' 'int main(void) { return 0; }',$(train_mlp_CFLAGS)),)
$(warning train_mlp and train_parallel are left out: they need jansson and zlib (make deps))
LEFT_OUT := train_mlp train_parallel
endif

endif

ifeq ($(MPI),1)
ifeq ($(shell command -v $(MPICC)),)
$(warning no $(MPICC) here (make deps-mpi): building without libtsnn-mpi, as with MPI=0)
override MPI := 0
endif
endif

ifeq ($(OPENMP),1)
OPENMP_FLAGS := -fopenmp
endif
ifneq ($(MODEL_FILES),1)
MODEL_FLAGS  := -DTSNN_MODEL_FILES=0
JANSSON_LIBS :=
endif

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef -Wcast-align \
            -Wpointer-arith -Wwrite-strings
# What the code relies on, whatever CFLAGS says: no contraction, or results would depend on the compiler's choice.
REQUIRED := -std=c11 -fPIC -fvisibility=hidden -ffp-contract=off $(OPENMP_FLAGS) $(MODEL_FLAGS)

COMPILE = $(CC) $(INCLUDES) $(CPPFLAGS) $(WARNINGS) $(CFLAGS) $(REQUIRED) -MMD -MP -c -o $@ $<
LINK    = $(CC) $(CFLAGS) $(OPENMP_FLAGS) $(LDFLAGS) -o $@

# Quiet by default: one short line a step. V=1 shows the commands.
ifeq ($(V),1)
Q   :=
say  = @:
else
Q   := @
say  = @printf '  %-8s %s\n' $(1) $(2)
endif

# --- sources and products ---------------------------------------------------------------------------------------------

HEADERS     := $(wildcard include/tsnn.h include/tsnn/*.h)
LIB_SOURCES := $(sort $(wildcard lib/*/*.c lib/*/*/*.c src/*.c))
# The part that serves trained networks and cannot train: predictors, and what they stand on.
INFERENCE_SOURCES := $(filter-out lib/sparse/% lib/formats/%,$(filter lib/%,$(LIB_SOURCES))) \
                     $(patsubst %,lib/%.c,sparse/convert sparse/pattern formats/json formats/safetensors) \
                     $(patsubst %,src/%.c,activation context model_parts packed_layer softmax predictor predictor_load \
                       predictor_pass predictor_run predictor_workspace publisher subscriber)
ifeq ($(INFERENCE_ONLY),1)
LIB_SOURCES := $(INFERENCE_SOURCES)
override CPPFLAGS += -DTSNNI_INFERENCE_ONLY
WARNINGS += -Wno-unused-function
endif
LIB_OBJECTS := $(LIB_SOURCES:%.c=$(BUILD)/obj/%.o)
ALL_HEADERS := $(HEADERS) $(wildcard lib/*/*.h lib/*/*/*.h src/*.h)

# The part has a name of its own: no program that wants the whole library can be given it.
LIB_NAME   := libtsnn$(if $(filter 1,$(INFERENCE_ONLY)),-inference)
STATIC_LIB := $(BUILD)/$(LIB_NAME).a
SHARED_LIB := $(BUILD)/$(LIB_NAME).so.$(SOVERSION)
SHARED_DEV := $(BUILD)/$(LIB_NAME).so
PC_FILE    := $(BUILD)/sparse-nn.pc
CMAKE_FILES := $(BUILD)/sparse-nn-config.cmake $(BUILD)/sparse-nn-config-version.cmake
MAN_PAGES  := $(wildcard docs/*.3)

# A C file in examples/ is one program; a folder with C files is one program too.
EXAMPLE_FILES   := $(wildcard examples/*.c)
EXAMPLE_FOLDERS := $(filter-out examples/train_mpi,$(sort $(patsubst %/,%,$(dir $(wildcard examples/*/*.c)))))
EXAMPLE_NAMES   := $(filter-out $(LEFT_OUT),$(notdir $(EXAMPLE_FILES:.c=) $(EXAMPLE_FOLDERS)))
EXAMPLES        := $(EXAMPLE_NAMES:%=$(BUILD)/examples/%)

# The side library has private functions of libtsnn in it, which a shared libtsnn does not show: its shared form brings
# the objects of libtsnn along, hidden; its static form is linked before libtsnn.a.
MPI_BUILD   ?= $(BUILD)/mpi
MPI_EXAMPLE := $(MPI_BUILD)/train_mpi
MPI_TESTS   := $(MPI_BUILD)/tests/ranks $(MPI_BUILD)/tests/ranks_of_another_version
MPI_TEST_OBJECTS := $(patsubst %.c,$(MPI_BUILD)/obj/%.o,$(filter-out %/other_version.c %/client.c,$(wildcard tests/mpi/*.c))) \
                    $(BUILD)/obj/tests/unit/course.o $(BUILD)/obj/tests/unit/support.o
MPI_OBJECTS := $(patsubst %.c,$(MPI_BUILD)/obj/%.o,$(wildcard src/mpi/*.c))
MPI_STATIC  := $(MPI_BUILD)/libtsnn-mpi.a
MPI_SHARED  := $(MPI_BUILD)/libtsnn-mpi.so.$(SOVERSION)
MPI_PC_FILE := $(MPI_BUILD)/sparse-nn-mpi.pc
# train_mpi is train_parallel on ranks: its options and those of train_mlp.
MPI_EXAMPLE_OBJECTS := $(patsubst %.c,$(MPI_BUILD)/obj/%.o,$(wildcard examples/train_mpi/*.c)) \
                       $(patsubst %.c,$(BUILD)/obj/%.o,examples/train_parallel/outcome.c \
                         examples/train_parallel/parallel_options.c examples/train_parallel/workers.c $(train_parallel_SHARES))

# kernels_standalone.c is a program of its own, for machines without Check.
UNIT_SOURCES  := $(filter-out tests/unit/kernels_standalone.c,$(wildcard tests/unit/*.c))
UNIT_OBJECTS  := $(UNIT_SOURCES:%.c=$(BUILD)/obj/%.o)
UNIT_TESTS    := $(BUILD)/tests/unit
EXAMPLE_TESTS := $(patsubst tests/examples/%.c,$(BUILD)/tests/examples/%,$(wildcard tests/examples/*.c))
PLAIN_CLIENT  := $(BUILD)/tests/plain
EXPORT_C_TEST := $(BUILD)/tests/export_c_write
# A fuzz target is one file; these are linked into each that wants them. The readers of the examples bring zlib along.
FUZZ_SHARED   := $(BUILD)/obj/tests/fuzz/fuzz.o $(BUILD)/obj/tests/fuzz/import.o
FUZZ_READERS  := $(patsubst %,$(BUILD)/obj/examples/train_mlp/%.o,data_idx data_text input)
FUZZ_BUILT    := $(filter-out $(if $(LEFT_OUT),data),$(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c)))
REPLAYS       := $(FUZZ_BUILT:%=$(BUILD)/tests/fuzz/replay_%)
FUZZERS       := $(FUZZ_BUILT:%=$(BUILD)/tests/fuzz/fuzz_%)
BENCH_OBJECTS := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/bench/*.c))
BENCH         := $(BUILD)/bench/bench

# --- build ------------------------------------------------------------------------------------------------------------

.PHONY: all lib examples
all: lib $(if $(filter 1,$(INFERENCE_ONLY)),,examples) $(if $(filter 1,$(MPI)),mpi) ## build the library and the examples (default)
lib: $(STATIC_LIB) $(SHARED_LIB) $(SHARED_DEV) $(if $(filter 1,$(INFERENCE_ONLY)),,$(PC_FILE) $(CMAKE_FILES))
examples: $(EXAMPLES)

# Everything depends on this file, which changes when the flags do.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CPPFLAGS) $(WARNINGS) $(CFLAGS) $(REQUIRED) $(LDFLAGS) $(LDLIBS) $(JANSSON_LIBS) $(VERSION)' > $@.new
	@cmp -s $@ $@.new && rm -f $@.new || mv -f $@.new $@
.PHONY: FORCE

$(BUILD)/obj/%.o: INCLUDES = -Iinclude -Ilib $(JANSSON_CFLAGS)
$(BUILD)/obj/tests/%.o: INCLUDES = -Iinclude -Ilib -Isrc -Itests/unit $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
# The benchmark writes JSON.
$(BUILD)/obj/tests/bench/%.o: INCLUDES = -Iinclude -Ilib -Isrc $(train_mlp_CFLAGS)
$(BUILD)/obj/examples/%.o: INCLUDES = -Iinclude $($(firstword $(subst /, ,$*))_CFLAGS)

define compile
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(COMPILE)
endef

# The same rule three times, because a pattern's variables follow the rule that makes the file.
$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	$(compile)
$(BUILD)/obj/tests/%.o: tests/%.c $(BUILD)/flags
	$(compile)
$(BUILD)/obj/examples/%.o: examples/%.c $(BUILD)/flags
	$(compile)

$(STATIC_LIB): $(LIB_OBJECTS) $(BUILD)/flags
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $(LIB_OBJECTS)

$(BUILD)/libtsnn.map: Makefile
	@mkdir -p $(@D)
	@echo 'TSNN_$(SOVERSION) { global: tsnn_*; local: *; };' > $@

$(SHARED_LIB): $(LIB_OBJECTS) $(BUILD)/libtsnn.map $(BUILD)/flags
	$(call say,LD,$@)
	$(Q)$(LINK) -shared -Wl,-soname,$(@F) -Wl,--version-script,$(BUILD)/libtsnn.map -Wl,-z,defs $(LIB_OBJECTS) \
	    $(LDLIBS) $(JANSSON_LIBS) -lm

$(SHARED_DEV): $(SHARED_LIB)
	@ln -sf $(<F) $@

# --- the side library for MPI: compiled by the wrapper around $(CC) -----------------------------------------------------

.PHONY: mpi
mpi: $(MPI_STATIC) $(MPI_SHARED) $(MPI_BUILD)/libtsnn-mpi.so $(MPI_PC_FILE) $(if $(LEFT_OUT),,$(MPI_EXAMPLE))

# gcc takes MPICH's MPI_STATUSES_IGNORE for an array too small.
MPI_WARNINGS := $(if $(call compiles,'int main(void) { return 0; }',-Werror -Wno-stringop-overflow),-Wno-stringop-overflow)
MPI_WRAPPER = OMPI_CC="$(CC)" MPICH_CC="$(CC)" $(MPICC)
$(MPI_BUILD)/obj/%.o: INCLUDES = -Iinclude -Ilib -Isrc
$(MPI_BUILD)/obj/examples/%.o: INCLUDES = -Iinclude $(train_mlp_CFLAGS)
$(MPI_BUILD)/obj/tests/%.o: INCLUDES = -Iinclude $(CHECK_CFLAGS)
$(MPI_BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,MPICC,$<)
	$(Q)$(subst $(CC) ,$(MPI_WRAPPER) ,$(COMPILE)) $(MPI_WARNINGS)

$(MPI_STATIC): $(MPI_OBJECTS)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(MPI_SHARED): $(MPI_OBJECTS) $(LIB_OBJECTS)
	$(call say,LD,$@)
	@echo 'TSNN_MPI_$(SOVERSION) { global: tsnn_mpi_*; local: *; };' > $(MPI_BUILD)/libtsnn-mpi.map
	$(Q)$(subst $(CC) ,$(MPI_WRAPPER) ,$(LINK)) -shared -Wl,-soname,$(@F) \
	    -Wl,--version-script,$(MPI_BUILD)/libtsnn-mpi.map -Wl,-z,defs $^ $(LDLIBS) $(JANSSON_LIBS) -lm

$(MPI_BUILD)/libtsnn-mpi.so: $(MPI_SHARED)
	@ln -sf $(<F) $@

define link_mpi
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(subst $(CC) ,$(MPI_WRAPPER) ,$(LINK)) $(filter %.o,$^) $(MPI_STATIC) $(STATIC_LIB) $(1) $(LDLIBS) \
	    $(JANSSON_LIBS) -lm
endef

$(MPI_EXAMPLE): $(MPI_EXAMPLE_OBJECTS) $(MPI_STATIC) $(STATIC_LIB)
	$(call link_mpi,$(train_mlp_LIBS))
$(MPI_TESTS): $(MPI_TEST_OBJECTS) $(MPI_STATIC) $(STATIC_LIB)
	$(call link_mpi,$(CHECK_LIBS))
# The same program, in which the library says it has another version.
$(MPI_BUILD)/tests/ranks_of_another_version: $(MPI_BUILD)/obj/tests/mpi/other_version.o
$(MPI_BUILD)/tests/ranks_of_another_version: private LDFLAGS += -Wl,--wrap=tsnn_version_number

# What a program linked with libtsnn.a needs besides it. gcc's OpenMP library works by name with any linker driver.
ifeq ($(OPENMP),1)
PC_OPENMP = $(if $(findstring clang,$(shell $(CC) --version 2>/dev/null)),-fopenmp,-lgomp)
endif

# What is installed may be moved, or lie in the root of a cross build: folders below a prefix are named by it, $${prefix},
# which pkg-config may be told anew and which CMake counts from where its file lies; others by their full name.
below = $(patsubst $(1)/%,$(2)/%,$(3))
CMAKE_STEPS  := $(if $(filter 1,$(words $(cmakedir))),$(filter ./%,$(call below,$(prefix),.,$(cmakedir))))
CMAKE_PREFIX := $(if $(CMAKE_STEPS),$${CMAKE_CURRENT_LIST_DIR}$(subst $(SPACE),,$(foreach step,$(wordlist 2,99,$(subst /, ,$(CMAKE_STEPS))),/..)),$(prefix))

# Fills in the @words@ of a template; a file that would not change keeps its time.
define fill_in
	@sed -e 's|@prefix@|$(prefix)|' -e 's|@exec_prefix@|$(if $(filter-out $(prefix),$(exec_prefix)),$(call below,$(prefix),$${prefix},$(exec_prefix)),$${prefix})|' \
	    -e 's|@libdir@|$(call below,$(exec_prefix),$${exec_prefix},$(libdir))|' \
	    -e 's|@includedir@|$(call below,$(prefix),$${prefix},$(includedir))|' \
	    -e 's|@cmakedir@|$(cmakedir)|' -e 's|@cmake_prefix@|$(CMAKE_PREFIX)|' \
	    -e 's|@cmake_libdir@|$(call below,$(prefix),$${sparse-nn_prefix},$(libdir))|' \
	    -e 's|@cmake_includedir@|$(call below,$(prefix),$${sparse-nn_prefix},$(includedir))|' \
	    -e 's|@version@|$(VERSION)|' -e 's|@openmp@|$(PC_OPENMP)|' \
	    -e 's|@jansson@|$(JANSSON_LIBS)|' -e 's|@soversion@|$(SOVERSION)|' \
	    -e 's|@private_libs@|$(subst $(SPACE),;,$(strip $(JANSSON_LIBS) m $(PC_OPENMP)))|' $< > $@.new
	@cmp -s $@ $@.new && rm -f $@.new || mv -f $@.new $@
endef

$(PC_FILE): sparse-nn.pc.in include/tsnn/version.h $(BUILD)/flags FORCE
	$(fill_in)
$(MPI_PC_FILE): lib/pkgconfig/sparse-nn-mpi.pc.in include/tsnn/version.h $(BUILD)/flags FORCE
	@mkdir -p $(@D)
	$(fill_in)
$(CMAKE_FILES): $(BUILD)/%: lib/cmake/%.in include/tsnn/version.h $(BUILD)/flags FORCE
	$(fill_in)

# Programs are linked with the static library, so that they run from where they are.
define link
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) $(filter %.o,$^) $(STATIC_LIB) $(1) $(LDLIBS) $(JANSSON_LIBS) -lm
endef

$(EXAMPLE_FILES:examples/%.c=$(BUILD)/examples/%): $(BUILD)/examples/%: $(BUILD)/obj/examples/%.o $(STATIC_LIB)
	$(call link,$($*_LIBS))

define example_folder
$(BUILD)/examples/$(1): $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard examples/$(1)/*.c) $($(1)_SHARES)) $(STATIC_LIB)
	$$(call link,$$($(1)_LIBS))
endef
$(foreach folder,$(EXAMPLE_FOLDERS),$(eval $(call example_folder,$(notdir $(folder)))))

$(UNIT_TESTS): $(UNIT_OBJECTS) $(STATIC_LIB)
	$(call link,$(CHECK_LIBS))

$(EXAMPLE_TESTS): $(BUILD)/tests/examples/%: $(BUILD)/obj/tests/examples/%.o $(STATIC_LIB)
	$(call link,$(train_mlp_LIBS))

$(BENCH): $(BENCH_OBJECTS) $(STATIC_LIB)
	$(call link,$(train_mlp_LIBS))

$(BUILD)/tests/fuzz/replay_data $(BUILD)/tests/fuzz/fuzz_data: $(FUZZ_READERS)
$(REPLAYS): $(BUILD)/tests/fuzz/replay_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/obj/tests/fuzz/replay.o $(FUZZ_SHARED) $(STATIC_LIB)
	$(call link,$(if $(filter data,$*),$(train_mlp_LIBS)))
# libFuzzer brings main(); it asks mutate_*.c for inputs that keep their format.
$(BUILD)/tests/fuzz/fuzz_model: $(BUILD)/obj/tests/fuzz/mutate_model.o
$(BUILD)/tests/fuzz/fuzz_npz: $(BUILD)/obj/tests/fuzz/mutate_npz.o
$(FUZZERS): $(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(FUZZ_SHARED) $(STATIC_LIB)
	$(call link,-fsanitize=fuzzer $(train_mlp_LIBS))

$(EXPORT_C_TEST): $(BUILD)/obj/tests/export_c/write.o $(STATIC_LIB)
	$(call link)

# The build by hand that the documentation promises: no flags, no configuring, any compiler called cc.
PLAIN_MODEL_FILES := $(if $(MODEL_FLAGS),$(MODEL_FLAGS),-ljansson)
$(PLAIN_CLIENT): tests/install/client.c $(LIB_SOURCES) $(ALL_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,'by hand: cc -O2 -Iinclude -Ilib lib/*/*.c lib/*/*/*.c src/*.c $(PLAIN_MODEL_FILES) -lm')
	$(Q)cc -O2 -Iinclude -Ilib $(LIB_SOURCES) tests/install/client.c $(PLAIN_MODEL_FILES) -lm -o $@

-include $(shell find $(BUILD)/obj $(MPI_BUILD)/obj -name '*.d' 2>/dev/null)

# --- tests ------------------------------------------------------------------------------------------------------------
# tests/run.sh runs the groups named after it, one line a check, and ends with "N passed, M failed".

RUN_TESTS = BUILD="$(abspath $(BUILD))" CC="$(CC)" CFLAGS="$(CFLAGS)" SOVERSION="$(SOVERSION)" MAKE="$(MAKE)" \
            PKG_CONFIG="$(PKG_CONFIG)" PYTHON="$(PYTHON)" OPENMP_FLAGS="$(OPENMP_FLAGS)" sh tests/run.sh

.PHONY: check check-unit check-examples check-headers check-plain check-symbols check-install check-inference check-export check-peers check-ffi check-all check-arm check-fuzz
check: all $(UNIT_TESTS) $(EXAMPLE_TESTS) $(PLAIN_CLIENT) $(EXPORT_C_TEST) $(BENCH) $(REPLAYS) ## run the tests
	+@$(RUN_TESTS) headers plain symbols install inference export_c bench peers ffi fuzz examples unit
check-unit: $(UNIT_TESTS)
	+@$(RUN_TESTS) unit
check-examples: $(EXAMPLES) $(EXAMPLE_TESTS)
	+@$(RUN_TESTS) examples
check-headers: $(EXPORT_C_TEST)
	+@$(RUN_TESTS) headers
check-plain: $(PLAIN_CLIENT)
	+@$(RUN_TESTS) plain
check-symbols: lib
	+@$(RUN_TESTS) symbols
check-install: lib
	+@$(RUN_TESTS) install
check-export: $(EXPORT_C_TEST)
	+@$(RUN_TESTS) export_c
check-peers: $(STATIC_LIB)
	+@$(RUN_TESTS) peers
check-ffi: lib
	+@$(RUN_TESTS) ffi
check-fuzz: $(REPLAYS)
	+@$(RUN_TESTS) fuzz
check-inference:
	+@$(RUN_TESTS) inference

SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all

RUN_MPI_TESTS = BUILD="$(BUILD)" CC="$(CC)" CFLAGS="$(CFLAGS)" MAKE="$(MAKE)" PKG_CONFIG="$(PKG_CONFIG)" \
                SOVERSION="$(SOVERSION)" sh tests/mpi/run.sh

.PHONY: check-mpi mpi-tests
mpi-tests: $(MPI_TESTS) $(MPI_SHARED) $(MPI_BUILD)/libtsnn-mpi.so $(if $(LEFT_OUT),,$(MPI_EXAMPLE))
check-mpi: $(STATIC_LIB) ## run the tests of libtsnn-mpi, with every MPI that is installed
	+@$(RUN_MPI_TESTS) install symbols claims programs memory stress losses example

# On two and three ranks: what every rank does is done there. tests/mpi/leaks.sh says which leaks are ours.
.PHONY: sanitize-mpi
ifneq ($(and $(filter sanitize-mpi,$(MAKECMDGOALS)),$(call compiles,'int main(void) { return 0; }',$(SANITIZERS))),)
sanitize-mpi: ## run the tests of libtsnn-mpi with the address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/sanitize CFLAGS="-O1 -g -fno-omit-frame-pointer $(SANITIZERS)" \
	    check-mpi-sanitized
else
sanitize-mpi:
	@echo "sanitize-mpi: skipped, $(CC) cannot link with $(SANITIZERS)"
endif

.PHONY: check-mpi-sanitized
check-mpi-sanitized: $(STATIC_LIB)
	+@MPI_RANKS="$(or $(MPI_RANKS),2 3)" MPI_SANITIZED=1 $(RUN_MPI_TESTS) claims programs memory stress example

check-all: ## run the long tests too, then the sanitizers, valgrind and docs; with MPI=1 those of libtsnn-mpi
	@TSNN_CHECK_ALL=1 $(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory sanitize
	@$(MAKE) --no-print-directory sanitize-threads
	@$(MAKE) --no-print-directory valgrind
	@$(MAKE) --no-print-directory docs
ifeq ($(MPI),1)
	@TSNN_CHECK_ALL=1 $(MAKE) --no-print-directory check-mpi
	@$(MAKE) --no-print-directory sanitize-mpi
endif

.PHONY: update-abi
update-abi: $(SHARED_LIB) $(if $(filter 1,$(MPI)),$(MPI_SHARED)) ## rewrite what tests/abi keeps of the interface: functions, structs, types
	@sh tests/abi/list.sh $(SHARED_LIB) > tests/abi/libtsnn.symbols
	@sh tests/abi/layout.sh $(BUILD)/tests/abi > tests/abi/libtsnn.layout
	@abidw --headers-dir include --drop-private-types --no-comp-dir-path --no-corpus-path $(SHARED_LIB) | gzip -9n > \
	    tests/abi/libtsnn.abi.gz
ifeq ($(MPI),1)
	@sh tests/abi/list.sh $(MPI_SHARED) > tests/abi/libtsnn-mpi.symbols
	@OMPI_CC="$(CC)" MPICH_CC="$(CC)" CC="$(MPICC)" UMBRELLA=tsnn-mpi.h sh tests/abi/layout.sh $(MPI_BUILD)/tests/abi include/tsnn-mpi.h > \
	    tests/abi/libtsnn-mpi.layout
endif
	@echo "tests/abi: $$(wc -l < tests/abi/libtsnn.symbols) functions, $$(grep -vc '\.' tests/abi/libtsnn.layout) structs"

.PHONY: sanitize valgrind
ifneq ($(and $(filter sanitize,$(MAKECMDGOALS)),$(call compiles,'int main(void) { return 0; }',$(SANITIZERS))),)
sanitize: ## run the tests with the address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/sanitize CFLAGS="-O1 -g -fno-omit-frame-pointer $(SANITIZERS)" \
	    check-sanitized
else
sanitize:
	@echo "sanitize: skipped, $(CC) cannot link with $(SANITIZERS)"
endif

.PHONY: check-sanitized
check-sanitized: $(UNIT_TESTS) $(EXAMPLES) $(EXAMPLE_TESTS) $(REPLAYS)
	+@$(RUN_TESTS) examples fuzz unit

# Needs an OpenMP that the sanitizer understands: clang's, with its Archer tool (libomp-dev). Plain kernels, because it
# does not see what wide vectors load and store.
THREAD_SUITES ?= commit parallel average replay publisher
THREAD_CC     := $(if $(findstring clang,$(CC)),$(CC),clang)
THREAD_FLAGS  := -O1 -g -fsanitize=thread
.PHONY: sanitize-threads
ifneq ($(and $(filter sanitize-threads,$(MAKECMDGOALS)),$(shell out=$$(mktemp) && \
    printf '%s\n' '$(HASH)include <omp.h>' 'int main(void) { return omp_get_max_threads() < 1; }' | \
    $(THREAD_CC) -x c - -o "$$out" $(THREAD_FLAGS) -fopenmp >/dev/null 2>&1 && echo 1; rm -f "$$out")),)
sanitize-threads: ## run the tests of parallel training and of snapshots with clang's thread sanitizer
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/tsan CC="$(THREAD_CC)" \
	    CFLAGS="$(THREAD_FLAGS) -DTSNNI_PLAIN_KERNELS" $(BUILD)/tsan/tests/unit
	@for suite in $(THREAD_SUITES); do \
	    TSAN_OPTIONS="ignore_noninstrumented_modules=1 $$TSAN_OPTIONS" CK_FORK=no CK_RUN_SUITE=$$suite \
	        $(BUILD)/tsan/tests/unit || exit 1; \
	done
else
sanitize-threads:
	@echo "sanitize-threads: skipped, no clang with its thread sanitizer and OpenMP here (make deps-dev)"
endif

# clang's libFuzzer, for one thread: a run is to depend on its input alone.
FUZZ_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZ_CC    := $(if $(findstring clang,$(CC)),$(CC),$(if $(findstring ccache,$(CC)),ccache )clang)
FUZZ_RUN    = BUILD="$(BUILD)/fuzz" FUZZ_TARGETS="$(FUZZ_TARGETS)" FUZZ_SECONDS="$(FUZZ_SECONDS)" sh tests/fuzz/run.sh
.PHONY: fuzz fuzz-corpus fuzz-coverage fuzzers replays
FUZZ_LINKS  = $(shell out=$$(mktemp) && echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' | $(FUZZ_CC) -x c - -o "$$out" \
                  $(FUZZ_FLAGS) -fsanitize=fuzzer >/dev/null 2>&1 && echo 1; rm -f "$$out")
ifneq ($(and $(filter fuzz fuzz-corpus,$(MAKECMDGOALS)),$(FUZZ_LINKS)),)
fuzz: ## run the fuzz targets under the sanitizers (FUZZ_SECONDS=1200 FUZZ_TARGETS="model npz")
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC="$(FUZZ_CC)" OPENMP=0 CFLAGS="$(FUZZ_FLAGS)" fuzzers
	@$(FUZZ_RUN)
fuzz-corpus: ## take what fuzz has found into tests/fuzz/corpus, as little as covers it all
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC="$(FUZZ_CC)" OPENMP=0 CFLAGS="$(FUZZ_FLAGS)" fuzzers
	@$(FUZZ_RUN) merge
else
fuzz fuzz-corpus:
	@echo "fuzz: skipped, no clang with its fuzzer here (make deps-fuzz)"
endif
fuzz-coverage: ## what of the readers the corpora of the fuzz targets reach, by llvm-cov
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/coverage CC="$(FUZZ_CC)" OPENMP=0 \
	    CFLAGS="-O1 -g -fprofile-instr-generate -fcoverage-mapping" replays
	@BUILD="$(BUILD)/coverage" sh tests/fuzz/coverage.sh
fuzzers: $(FUZZERS)
replays: $(REPLAYS)

valgrind: $(UNIT_TESTS) ## run the unit tests under valgrind
	@BUILD="$(BUILD)" SUITES="$(VALGRIND_SUITES)" sh tests/valgrind.sh

check-arm: ## build the kernels for aarch64 and compare them with the reference under qemu
	@BUILD="$(BUILD)" sh tests/check-arm.sh

# --- measuring and showing --------------------------------------------------------------------------------------------

.PHONY: bench bench-peers demo docs
bench: $(BENCH) ## measure this machine and the library on it (BENCH_FLAGS="--quick --shape S1")
	@$(BENCH) $(BENCH_FLAGS)

bench-peers: $(STATIC_LIB) ## the same work by SciPy, Eigen, PyTorch and others (PEERS_FLAGS="--quick --peer eigen")
	@BUILD="$(BUILD)" CC="$(CC)" CXX="$(CXX)" OPENMP_FLAGS="$(OPENMP_FLAGS)" PKG_CONFIG="$(PKG_CONFIG)" \
	    PYTHON="$(PYTHON)" sh tests/bench/peers/run.sh $(PEERS_FLAGS)

ifneq ($(filter train_mlp,$(EXAMPLE_NAMES)),)
demo: $(BUILD)/examples/train_mlp ## train on Fashion-MNIST and draw what the network learned
	@mkdir -p $(BUILD)/demo
	@$(BUILD)/examples/train_mlp $(DEMO_FLAGS) --epochs $(DEMO_EPOCHS) --plot $(BUILD)/demo
else
demo:
	@echo "demo: examples/train_mlp was not built; it needs jansson and zlib: make deps"; exit 1
endif

docs: ## write the API reference to $(BUILD)/docs with Doxygen
	@BUILD="$(BUILD)" VERSION="$(VERSION)" sh tests/docs.sh

# --- source quality ---------------------------------------------------------------------------------------------------

C_FILES = $(shell find include lib src examples tests -name '*.[ch]' -o -name '*.[ch]pp' | sort)

.PHONY: lint format
lint: ## warnings as errors, layering, house rules, formatting
	@WARNINGS="$(WARNINGS)" CFLAGS="$(CPPFLAGS) $(CHECK_CFLAGS) $(train_mlp_CFLAGS)" sh tests/lint/lint.sh

format: ## reformat the C and C++ files with clang-format
	clang-format -i $(C_FILES)

# --- install ----------------------------------------------------------------------------------------------------------

.PHONY: install install-strip uninstall
ifeq ($(INFERENCE_ONLY),1)
install install-strip uninstall:
	@echo "$@: the library of INFERENCE_ONLY=1 lacks most of what the headers declare, so it is not for a whole system:" \
	    "link $(STATIC_LIB) into your program (docs/guide.md)" >&2; exit 1
else
install: lib $(if $(filter 1,$(MPI)),mpi) ## install the library, its headers and sparse-nn.pc (prefix, DESTDIR)
	$(call say,INSTALL,$(DESTDIR)$(prefix))
	$(Q)$(INSTALL) -d '$(DESTDIR)$(libdir)' '$(DESTDIR)$(includedir)/tsnn' '$(DESTDIR)$(pkgconfigdir)'
	$(Q)$(INSTALL) -m 644 include/tsnn.h '$(DESTDIR)$(includedir)'
	$(Q)$(INSTALL) -m 644 $(wildcard include/tsnn/*.h) '$(DESTDIR)$(includedir)/tsnn'
	$(Q)$(INSTALL) -m 644 $(STATIC_LIB) '$(DESTDIR)$(libdir)'
	$(Q)$(INSTALL) -m 755 $(SHARED_LIB) '$(DESTDIR)$(libdir)'
	$(Q)ln -sf $(notdir $(SHARED_LIB)) '$(DESTDIR)$(libdir)/$(notdir $(SHARED_DEV))'
	$(Q)$(INSTALL) -m 644 $(PC_FILE) '$(DESTDIR)$(pkgconfigdir)'
ifeq ($(MPI),1)
	$(Q)$(INSTALL) -m 644 include/tsnn-mpi.h '$(DESTDIR)$(includedir)'
	$(Q)$(INSTALL) -m 644 $(MPI_STATIC) '$(DESTDIR)$(libdir)'
	$(Q)$(INSTALL) -m 755 $(MPI_SHARED) '$(DESTDIR)$(libdir)'
	$(Q)ln -sf $(notdir $(MPI_SHARED)) '$(DESTDIR)$(libdir)/libtsnn-mpi.so'
	$(Q)$(INSTALL) -m 644 $(MPI_PC_FILE) '$(DESTDIR)$(pkgconfigdir)'
endif
	$(Q)$(INSTALL) -d '$(DESTDIR)$(cmakedir)' '$(DESTDIR)$(mandir)/man3'
	$(Q)$(INSTALL) -m 644 $(CMAKE_FILES) '$(DESTDIR)$(cmakedir)'
	$(Q)$(INSTALL) -m 644 $(MAN_PAGES) '$(DESTDIR)$(mandir)/man3'

install-strip: install ## install, without the debugging information that CFLAGS=-g makes
	$(Q)$(STRIP) --strip-debug $(foreach file,$(STATIC_LIB) $(if $(filter 1,$(MPI)),$(MPI_STATIC)),'$(DESTDIR)$(libdir)/$(notdir $(file))')
	$(Q)$(STRIP) --strip-unneeded $(foreach file,$(SHARED_LIB) $(if $(filter 1,$(MPI)),$(MPI_SHARED)),'$(DESTDIR)$(libdir)/$(notdir $(file))')

uninstall: ## remove what install put there
	$(call say,REMOVE,$(DESTDIR)$(prefix))
	$(Q)rm -f '$(DESTDIR)$(pkgconfigdir)/$(notdir $(PC_FILE))' \
	    $(foreach file,$(CMAKE_FILES),'$(DESTDIR)$(cmakedir)/$(notdir $(file))') \
	    $(foreach file,$(MAN_PAGES),'$(DESTDIR)$(mandir)/man3/$(notdir $(file))') \
	    $(foreach file,$(STATIC_LIB) $(SHARED_LIB) $(SHARED_DEV),'$(DESTDIR)$(libdir)/$(notdir $(file))') \
	    $(foreach file,$(HEADERS),'$(DESTDIR)$(includedir)/$(file:include/%=%)')
	$(Q)rm -f '$(DESTDIR)$(includedir)/tsnn-mpi.h' '$(DESTDIR)$(pkgconfigdir)/sparse-nn-mpi.pc' \
	    $(foreach file,libtsnn-mpi.a libtsnn-mpi.so.$(SOVERSION) libtsnn-mpi.so,'$(DESTDIR)$(libdir)/$(file)')
	$(Q)rmdir '$(DESTDIR)$(includedir)/tsnn' '$(DESTDIR)$(cmakedir)' 2>/dev/null || true
endif

# --- housekeeping -----------------------------------------------------------------------------------------------------

.PHONY: clean help
clean: ## remove everything that was built
	$(Q)rm -rf $(addprefix $(BUILD)/,obj mpi mpi-openmpi mpi-mpich mpi-default examples tests bench peers python docs demo sanitize tsan fuzz coverage clang serial no-model-files inference flags libtsnn.* libtsnn-inference.* sparse-nn*)
	$(Q)rmdir $(BUILD) 2>/dev/null || true

help: ## show this list
	@echo "libtsnn $(VERSION)"; echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) | sort | \
	    awk -F'|' '{ printf "  make %-15s %s\n", $$1, $$2 }'
	@echo
	@echo "  Variables: CC CFLAGS CPPFLAGS LDFLAGS LDLIBS OPENMP=1|0 INFERENCE_ONLY=0|1 MODEL_FILES=1|0 MPI=0|1 BUILD=folder V=1"
	@echo "             prefix DESTDIR DEMO_EPOCHS BENCH_FLAGS PEERS_FLAGS PYTHON"

.DELETE_ON_ERROR:

endif
