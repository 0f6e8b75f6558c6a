// Starts the parts. What is shown comes last: the parts have subscribed by then.

startTheme();
startOverview();
startShown();
startMap();
startList();
startPanel();
startCertificates();
startFindings();
refresh();
recall();
addEventListener("hashchange", recall);
document.documentElement.dataset.ready = "yes";
