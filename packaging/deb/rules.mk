# make install [DESTDIR=...] [PREFIX=/usr]; make deb: one binary package, built without debhelper.
PREFIX ?= /usr
DEB_VERSION = $(shell sed -n 's/^.define AMPHI_VERSION "\(.*\)"/\1/p' server/app/version.h)
DEB_ARCH = $(shell dpkg --print-architecture)
DEB_ROOT := build/deb/root

build/amphi.1: build/amphi
	build/amphi man > $@

install: deps
	@$(MAKE) --no-print-directory build/amphi web build/amphi.1
	install -D -m 0755 build/amphi $(DESTDIR)$(PREFIX)/bin/amphi
	install -d $(DESTDIR)$(PREFIX)/share/amphi/web
	cp -r --no-preserve=mode,ownership web-client/dist/. $(DESTDIR)$(PREFIX)/share/amphi/web/
	install -D -m 0644 build/amphi.1 $(DESTDIR)$(PREFIX)/share/man/man1/amphi.1
	install -d $(DESTDIR)/lib/systemd/system
	sed 's|/usr/bin/|$(PREFIX)/bin/|' packaging/amphi.service \
		> $(DESTDIR)/lib/systemd/system/amphi.service
	install -D -m 0644 packaging/amphi.sysusers $(DESTDIR)/usr/lib/sysusers.d/amphi.conf
	install -D -m 0644 packaging/amphi.tmpfiles $(DESTDIR)/usr/lib/tmpfiles.d/amphi.conf
	install -D -m 0644 packaging/amphi.sysctl $(DESTDIR)/usr/lib/sysctl.d/60-amphi.conf
	install -D -m 0644 packaging/amphi.nginx $(DESTDIR)$(PREFIX)/share/doc/amphi/nginx.conf
	install -D -m 0644 packaging/amphi-443.nginx $(DESTDIR)$(PREFIX)/share/doc/amphi/nginx-443.conf
	install -D -m 0755 packaging/amphi-certificates $(DESTDIR)$(PREFIX)/share/doc/amphi/certificates
	install -D -m 0644 packaging/coturn.conf $(DESTDIR)$(PREFIX)/share/doc/amphi/coturn.conf
	install -d $(DESTDIR)$(PREFIX)/share/amphi/scenarios $(DESTDIR)$(PREFIX)/share/amphi/monitoring
	install -m 0644 bench/scenarios/* $(DESTDIR)$(PREFIX)/share/amphi/scenarios/
	install -m 0644 packaging/monitoring/* $(DESTDIR)$(PREFIX)/share/amphi/monitoring/
	install -D -m 0644 LICENSE $(DESTDIR)$(PREFIX)/share/doc/amphi/copyright
	test -e $(DESTDIR)/etc/amphi/amphi.yaml || \
		install -D -m 0640 packaging/amphi.yaml $(DESTDIR)/etc/amphi/amphi.yaml

# Depends comes from the program itself: dpkg-shlibdeps reads which libraries it was linked with.
deb:
	$(call apt,dpkg-dev)
	rm -rf build/deb && mkdir -p build/deb/debian
	$(MAKE) --no-print-directory install DESTDIR=$(DEB_ROOT) PREFIX=/usr
	strip --strip-unneeded $(DEB_ROOT)/usr/bin/amphi
	gzip -9n $(DEB_ROOT)/usr/share/man/man1/amphi.1
	touch build/deb/debian/control
	cd build/deb && dpkg-shlibdeps -O root/usr/bin/amphi > shlibs
	sed 's/^shlibs:Depends=//' build/deb/shlibs > build/deb/depends
	mkdir -p $(DEB_ROOT)/DEBIAN
	sed -e 's/@VERSION@/$(DEB_VERSION)/' -e 's/@ARCH@/$(DEB_ARCH)/' \
		-e "s|@DEPENDS@|$$(cat build/deb/depends)|" packaging/deb/control.in > $(DEB_ROOT)/DEBIAN/control
	echo /etc/amphi/amphi.yaml > $(DEB_ROOT)/DEBIAN/conffiles
	install -m 0755 packaging/deb/postinst packaging/deb/prerm packaging/deb/postrm $(DEB_ROOT)/DEBIAN/
	dpkg-deb --root-owner-group --build $(DEB_ROOT) build/amphi_$(DEB_VERSION)_$(DEB_ARCH).deb

.PHONY: install deb
