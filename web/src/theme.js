// The colours that were chosen here, before anything is drawn.
try {
  const theme = localStorage.getItem('syncline.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // a browser without storage shows the colours of the system
}
