// Tells the page that opened the authentication frame that the payer has answered.
if (window.parent !== window) window.parent.postMessage({ stripeDouble: "authenticated" }, "*");
