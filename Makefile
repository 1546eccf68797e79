# Builds libtsnn, its examples and its tests with GNU make. `make help` lists the targets; nothing needs configuring.

# --- deps first -------------------------------------------------------------------------------------------------------
# In `make deps check`, everything after deps runs in a make of its own, which sees what deps has just installed.

DEPS_GOALS  := $(filter deps deps-dev,$(MAKECMDGOALS))
LATER_GOALS := $(filter-out deps deps-dev,$(MAKECMDGOALS))

.DEFAULT_GOAL := all
.PHONY: deps deps-dev

deps: ## install what the build, the tests and the demo need (Debian and its kin)
	@CC="$(CC)" sh .ci/deps

deps-dev: ## install what lint, sanitize, valgrind, docs and check-arm want
	@CC="$(CC)" sh .ci/deps dev

ifneq ($(and $(DEPS_GOALS),$(LATER_GOALS)),)

.PHONY: $(LATER_GOALS) later-goals
$(LATER_GOALS): later-goals ; @:
later-goals: $(DEPS_GOALS)
	@$(MAKE) --no-print-directory $(LATER_GOALS)

else

# --- variables a user may set -----------------------------------------------------------------------------------------

BUILD   ?= build
CFLAGS  ?= -O2 -g
OPENMP  ?= 1
V       ?= 0
INSTALL ?= install
PKG_CONFIG ?= pkg-config

PREFIX      ?= /usr/local
prefix      ?= $(PREFIX)
exec_prefix ?= $(prefix)
bindir      ?= $(exec_prefix)/bin
libdir      ?= $(exec_prefix)/lib
includedir  ?= $(prefix)/include
datadir     ?= $(prefix)/share
pkgconfigdir ?= $(libdir)/pkgconfig

# What `make demo` trains with: the best settings found for this size of network, all told in docs/results.md.
# DEMO_EPOCHS=3 gives a quick look.
DEMO_EPOCHS ?= 60
DEMO_FLAGS  ?= --sampling exact --init-scale 1 --optimizer nesterov --lr 0.1 --schedule cosine --warmup 2 \
               --weight-decay 0 --dropout 0.2 --zeta 0.2

# Suites that `make valgrind` runs; empty: all.
VALGRIND_SUITES ?=

# --- version ----------------------------------------------------------------------------------------------------------

# The interface number of the shared library. It rises when a function is removed or changed, never with the version.
SOVERSION := 0
VERSION   := $(shell awk '$$2 ~ /^TSNN_VERSION_(MAJOR|MINOR|PATCH)$$/ { v = v dot $$3; dot = "." } END { print v }' \
                     include/tsnn/version.h)

# --- tools and flags --------------------------------------------------------------------------------------------------

# Makes before 4.3 take a bare one for a comment.
HASH := \#

# Whether the text $(1) compiles and links with the flags $(2): 1 or nothing.
compiles = $(shell out=$$(mktemp) && printf '%s\n' $(1) | $(CC) -x c - -o "$$out" $(2) >/dev/null 2>&1 && echo 1; \
                   rm -f "$$out")
# Flags of the package $(1) of the kind $(2) (cflags, libs), or $(3) where pkg-config does not know it.
package = $(shell $(PKG_CONFIG) --$(2) $(1) 2>/dev/null || echo "$(3)")

# These goals compile nothing, so nothing is probed for them.
ifneq ($(filter-out help clean deps deps-dev format uninstall,$(or $(MAKECMDGOALS),all)),)

ifeq ($(OPENMP),1)
ifeq ($(call compiles,'$(HASH)include <omp.h>' 'int main(void) { return omp_get_max_threads() < 1; }',-fopenmp),)
$(warning $(CC) has no OpenMP here (clang wants libomp-dev): building for one thread, as with OPENMP=0)
override OPENMP := 0
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

ifeq ($(OPENMP),1)
OPENMP_FLAGS := -fopenmp
endif

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef -Wcast-align \
            -Wpointer-arith -Wwrite-strings
# What the code relies on, whatever CFLAGS says: no contraction, or results would depend on the compiler's choice.
REQUIRED := -std=c11 -fPIC -fvisibility=hidden -ffp-contract=off $(OPENMP_FLAGS)

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
LIB_OBJECTS := $(LIB_SOURCES:%.c=$(BUILD)/obj/%.o)
ALL_HEADERS := $(HEADERS) $(wildcard lib/*/*.h lib/*/*/*.h src/*.h)

STATIC_LIB := $(BUILD)/libtsnn.a
SHARED_LIB := $(BUILD)/libtsnn.so.$(SOVERSION)
SHARED_DEV := $(BUILD)/libtsnn.so
PC_FILE    := $(BUILD)/sparse-nn.pc

# A C file in examples/ is one program; a folder with C files is one program too.
EXAMPLE_FILES   := $(wildcard examples/*.c)
EXAMPLE_FOLDERS := $(sort $(patsubst %/,%,$(dir $(wildcard examples/*/*.c))))
EXAMPLE_NAMES   := $(filter-out $(LEFT_OUT),$(notdir $(EXAMPLE_FILES:.c=) $(EXAMPLE_FOLDERS)))
EXAMPLES        := $(EXAMPLE_NAMES:%=$(BUILD)/examples/%)

# kernels_standalone.c is a program of its own, for machines without Check.
UNIT_SOURCES  := $(filter-out tests/unit/kernels_standalone.c,$(wildcard tests/unit/*.c))
UNIT_OBJECTS  := $(UNIT_SOURCES:%.c=$(BUILD)/obj/%.o)
UNIT_TESTS    := $(BUILD)/tests/unit
EXAMPLE_TESTS := $(patsubst tests/examples/%.c,$(BUILD)/tests/examples/%,$(wildcard tests/examples/*.c))
PLAIN_CLIENT  := $(BUILD)/tests/plain
BENCHMARKS    := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))

# --- build ------------------------------------------------------------------------------------------------------------

.PHONY: all lib examples
all: lib examples ## build the library and the examples (default)
lib: $(STATIC_LIB) $(SHARED_LIB) $(SHARED_DEV) $(PC_FILE)
examples: $(EXAMPLES)

# Everything depends on this file, which changes when the flags do.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CPPFLAGS) $(WARNINGS) $(CFLAGS) $(REQUIRED) $(LDFLAGS) $(LDLIBS) $(VERSION)' > $@.new
	@cmp -s $@ $@.new && rm -f $@.new || mv -f $@.new $@
.PHONY: FORCE

$(BUILD)/obj/%.o: INCLUDES = -Iinclude -Ilib
$(BUILD)/obj/tests/%.o: INCLUDES = -Iinclude -Ilib -Isrc -Itests/unit $(CHECK_CFLAGS)
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
	    $(LDLIBS) -lm

$(SHARED_DEV): $(SHARED_LIB)
	@ln -sf $(<F) $@

# What a program linked with libtsnn.a needs besides it. gcc's OpenMP library works by name with any linker driver.
ifeq ($(OPENMP),1)
PC_OPENMP = $(if $(findstring clang,$(shell $(CC) --version 2>/dev/null)),-fopenmp,-lgomp)
endif

$(PC_FILE): sparse-nn.pc.in include/tsnn/version.h $(BUILD)/flags FORCE
	@sed -e 's|@prefix@|$(prefix)|' -e 's|@exec_prefix@|$(exec_prefix)|' -e 's|@libdir@|$(libdir)|' \
	    -e 's|@includedir@|$(includedir)|' -e 's|@version@|$(VERSION)|' -e 's|@openmp@|$(PC_OPENMP)|' $< > $@.new
	@cmp -s $@ $@.new && rm -f $@.new || mv -f $@.new $@

# Programs are linked with the static library, so that they run from where they are.
define link
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) $(filter %.o,$^) $(STATIC_LIB) $(1) $(LDLIBS) -lm
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

$(BENCHMARKS): $(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(STATIC_LIB)
	$(call link)

# The build by hand that the documentation promises: no flags, no configuring, any compiler called cc.
$(PLAIN_CLIENT): tests/install/client.c $(LIB_SOURCES) $(ALL_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,'by hand: cc -O2 -Iinclude -Ilib lib/*/*.c lib/*/*/*.c src/*.c -lm')
	$(Q)cc -O2 -Iinclude -Ilib $(LIB_SOURCES) tests/install/client.c -lm -o $@

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# --- tests ------------------------------------------------------------------------------------------------------------
# tests/run.sh runs the groups named after it, one line a check, and ends with "N passed, M failed".

RUN_TESTS = BUILD="$(abspath $(BUILD))" CC="$(CC)" CFLAGS="$(CFLAGS)" SOVERSION="$(SOVERSION)" MAKE="$(MAKE)" \
            PKG_CONFIG="$(PKG_CONFIG)" sh tests/run.sh

.PHONY: check check-unit check-examples check-headers check-plain check-symbols check-install check-all check-arm
check: all $(UNIT_TESTS) $(EXAMPLE_TESTS) $(PLAIN_CLIENT) ## run the tests
	+@$(RUN_TESTS) headers plain symbols install examples unit
check-unit: $(UNIT_TESTS)
	+@$(RUN_TESTS) unit
check-examples: $(EXAMPLES) $(EXAMPLE_TESTS)
	+@$(RUN_TESTS) examples
check-headers:
	+@$(RUN_TESTS) headers
check-plain: $(PLAIN_CLIENT)
	+@$(RUN_TESTS) plain
check-symbols: lib
	+@$(RUN_TESTS) symbols
check-install: lib
	+@$(RUN_TESTS) install

check-all: ## run the long tests too, then sanitize and valgrind
	@TSNN_CHECK_ALL=1 $(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory sanitize
	@$(MAKE) --no-print-directory valgrind

.PHONY: update-symbols
update-symbols: $(SHARED_LIB) ## rewrite the list of public functions, tests/abi/libtsnn.symbols
	@sh tests/abi/list.sh $(SHARED_LIB) > tests/abi/libtsnn.symbols
	@echo "tests/abi/libtsnn.symbols: $$(wc -l < tests/abi/libtsnn.symbols) functions"

SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all
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
check-sanitized: $(UNIT_TESTS) $(EXAMPLES) $(EXAMPLE_TESTS)
	+@$(RUN_TESTS) examples unit

# Needs an OpenMP that the sanitizer understands: clang's, with its Archer tool (libomp-dev).
THREAD_SUITES ?= commit parallel
.PHONY: sanitize-threads
sanitize-threads: ## run the tests of parallel training with clang's thread sanitizer
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/tsan CC="$(if $(findstring clang,$(CC)),$(CC),clang)" \
	    CFLAGS="-O1 -g -fsanitize=thread" $(BUILD)/tsan/tests/unit
	@for suite in $(THREAD_SUITES); do \
	    TSAN_OPTIONS="ignore_noninstrumented_modules=1 $$TSAN_OPTIONS" CK_FORK=no CK_RUN_SUITE=$$suite \
	        $(BUILD)/tsan/tests/unit || exit 1; \
	done

valgrind: $(UNIT_TESTS) ## run the unit tests under valgrind
	@BUILD="$(BUILD)" SUITES="$(VALGRIND_SUITES)" sh tests/valgrind.sh

check-arm: ## build the kernels for aarch64 and compare them with the reference under qemu
	@BUILD="$(BUILD)" sh tests/check-arm.sh

# --- measuring and showing --------------------------------------------------------------------------------------------

.PHONY: bench demo docs
bench: $(BENCHMARKS) ## build and run the benchmarks
	@for program in $(BENCHMARKS); do echo "== $$program"; $$program || exit 1; done

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

C_FILES = $(shell find include lib src examples tests -name '*.[ch]' | sort)

.PHONY: lint format
lint: ## warnings as errors, layering, house rules, formatting
	@WARNINGS="$(WARNINGS)" CFLAGS="$(CPPFLAGS) $(CHECK_CFLAGS) $(train_mlp_CFLAGS)" sh tests/lint/lint.sh

format: ## reformat the C files with clang-format
	clang-format -i $(C_FILES)

# --- install ----------------------------------------------------------------------------------------------------------

.PHONY: install uninstall
install: lib ## install the library, its headers and sparse-nn.pc (prefix, DESTDIR)
	$(call say,INSTALL,$(DESTDIR)$(prefix))
	$(Q)$(INSTALL) -d '$(DESTDIR)$(libdir)' '$(DESTDIR)$(includedir)/tsnn' '$(DESTDIR)$(pkgconfigdir)'
	$(Q)$(INSTALL) -m 644 include/tsnn.h '$(DESTDIR)$(includedir)'
	$(Q)$(INSTALL) -m 644 $(wildcard include/tsnn/*.h) '$(DESTDIR)$(includedir)/tsnn'
	$(Q)$(INSTALL) -m 644 $(STATIC_LIB) '$(DESTDIR)$(libdir)'
	$(Q)$(INSTALL) -m 755 $(SHARED_LIB) '$(DESTDIR)$(libdir)'
	$(Q)ln -sf $(notdir $(SHARED_LIB)) '$(DESTDIR)$(libdir)/$(notdir $(SHARED_DEV))'
	$(Q)$(INSTALL) -m 644 $(PC_FILE) '$(DESTDIR)$(pkgconfigdir)'

uninstall: ## remove what install put there
	$(call say,REMOVE,$(DESTDIR)$(prefix))
	$(Q)rm -f '$(DESTDIR)$(pkgconfigdir)/$(notdir $(PC_FILE))' \
	    $(foreach file,$(STATIC_LIB) $(SHARED_LIB) $(SHARED_DEV),'$(DESTDIR)$(libdir)/$(notdir $(file))') \
	    $(foreach file,$(HEADERS),'$(DESTDIR)$(includedir)/$(file:include/%=%)')
	$(Q)rmdir '$(DESTDIR)$(includedir)/tsnn' 2>/dev/null || true

# --- housekeeping -----------------------------------------------------------------------------------------------------

.PHONY: clean help
clean: ## remove everything that was built
	$(Q)rm -rf $(addprefix $(BUILD)/,obj examples tests bench docs demo sanitize tsan clang serial flags libtsnn.* sparse-nn.pc)
	$(Q)rmdir $(BUILD) 2>/dev/null || true

help: ## show this list
	@echo "libtsnn $(VERSION)"; echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) | sort | \
	    awk -F'|' '{ printf "  make %-15s %s\n", $$1, $$2 }'
	@echo
	@echo "  Variables: CC CFLAGS CPPFLAGS LDFLAGS LDLIBS OPENMP=1|0 BUILD=folder V=1 prefix DESTDIR DEMO_EPOCHS"

.DELETE_ON_ERROR:

endif
