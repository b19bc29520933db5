# The administrator's page is inside the program (.incbin): a change of it is a change of admin_page.c.
$(O)/obj/server/app/admin_page.o: server/app/admin_page.html
